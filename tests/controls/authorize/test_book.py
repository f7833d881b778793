"""The book of access: it follows every commit, remembers, and lets nobody in when it is behind."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from linarite.controls.authorize.book import AccessBook
from linarite.domain.access import ALLOWED_BY_KEY
from linarite.domain.principal import KEY, SERVICE_PRINCIPAL, USER, Principal
from linarite.domain.resource import Resource
from linarite.domain.roles import (
    DENY_ASSIGNMENT_TYPE,
    LOCK_TYPE,
    ROLE_ASSIGNMENT_TYPE,
    ROLE_DEFINITION_TYPE,
)
from linarite.storage.memory.resources import MemoryResourceStore

pytestmark = pytest.mark.anyio

CHAT = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
GROUP = "/subscriptions/S/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/a"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
ANN = Principal(kind=USER, name="ann", object_id="ann", groups=frozenset(["staff"]))
APP = Principal(kind=SERVICE_PRINCIPAL, name="app", object_id="app")


class Rig:
    """A store and a book over it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
        self.store = MemoryResourceStore()
        self.book = AccessBook(self.store, lambda: self.now)
        self.store.subscribe(self.book.follow)

    async def put(self, scope: str, kind: str, name: str = "1", **properties: Any) -> str:  # noqa: ANN401 - any JSON
        """Store a rule; returns its id."""
        made = f"{scope}/providers/{kind}/{name}"
        await self.store.put(Resource(id=made, type=kind, name=name, properties=properties))
        return made

    async def assign(self, principal: str, scope: str, name: str = "1", **more: str) -> str:
        """Give the OpenAI User role."""
        role = f"/subscriptions/S/providers/{ROLE_DEFINITION_TYPE}/{OPENAI_USER.upper()}"
        return await self.put(
            scope,
            ROLE_ASSIGNMENT_TYPE,
            name,
            roleDefinitionId=role,
            principalId=principal,
            **more,
        )

    def may(self, principal: Principal = ANN, scope: str = ACCOUNT) -> bool:
        """Whether it may call chat completions."""
        return self.book.decide(principal, CHAT, scope, is_data=True).allowed


@pytest.fixture
async def rig() -> Rig:
    """A book of nothing but built-in roles."""
    rig = Rig()
    await rig.book.refresh()
    return rig


async def test_a_role_holds_from_its_commit_to_its_removal(rig: Rig) -> None:
    """Both take effect before the writer goes on; what was decided before is forgotten."""
    assert not rig.may()
    assignment = await rig.assign("ann", ACCOUNT)
    for _ in range(2):
        decision = rig.book.decide(ANN, CHAT, ACCOUNT.upper(), is_data=True)
        assert decision.allowed
        assert decision.rule == assignment
        assert "Cognitive Services OpenAI User" in decision.reason
    assert not rig.may(APP)
    assert not rig.book.decide(ANN, CHAT, ACCOUNT).allowed
    await rig.store.delete(assignment)
    refused = rig.book.decide(ANN, CHAT, ACCOUNT, is_data=True)
    assert not refused.allowed
    assert "'Cognitive Services OpenAI User'" in refused.reason


async def test_groups_count_and_a_group_that_goes_takes_its_roles_along(rig: Rig) -> None:
    """The whole tree of a resource group is removed by one change."""
    await rig.assign("staff", ACCOUNT)
    assert rig.may()
    assert rig.book.has_part_in(ANN, "/subscriptions/S")
    await rig.store.put(Resource(id=GROUP, type="Microsoft.Resources/resourceGroups", name="rg"))
    assert rig.may()
    await rig.store.delete(GROUP)
    assert not rig.may()
    assert not rig.book.has_part_in(ANN, "/subscriptions/S")


async def test_a_deny_assignment_beats_roles_at_once(rig: Rig) -> None:
    """And spares whom it excludes."""
    await rig.assign("ann", GROUP)
    await rig.assign("app", GROUP, "2")
    denial = await rig.put(
        ACCOUNT,
        DENY_ASSIGNMENT_TYPE,
        denyAssignmentName="frozen",
        permissions=[{"dataActions": ["*"]}],
        principals=[{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
        excludePrincipals=[{"id": "APP", "type": "ServicePrincipal"}],
    )
    assert not rig.may()
    assert rig.may(APP)
    assert rig.book.decide(ANN, CHAT, ACCOUNT, is_data=True).rule == denial
    await rig.store.delete(denial)
    assert rig.may()


async def test_a_role_of_ones_own_follows_its_definition(rig: Rig) -> None:
    """Changing what a role grants changes what its holders may do."""
    definition = {
        "roleName": "Chatter",
        "type": "CustomRole",
        "assignableScopes": ["/subscriptions/S"],
        "permissions": [{"dataActions": ["*/chat/completions/action"]}],
    }
    await rig.put("/subscriptions/S", ROLE_DEFINITION_TYPE, "c", **definition)
    await rig.put(
        ACCOUNT,
        ROLE_ASSIGNMENT_TYPE,
        roleDefinitionId=f"/providers/{ROLE_DEFINITION_TYPE}/c",
        principalId="ann",
    )
    assert rig.may()
    definition["permissions"] = [{"dataActions": ["*/embeddings/action"]}]
    await rig.put("/subscriptions/S", ROLE_DEFINITION_TYPE, "c", **definition)
    assert not rig.may()


async def test_what_a_moment_decides_is_not_remembered(rig: Rig) -> None:
    """A role until noon is one until noon."""
    until = "@Environment[utcNow] DateTimeLessThan '2026-01-01T13:00:00Z'"
    await rig.assign("ann", ACCOUNT, condition=until)
    assert rig.may()
    rig.now = rig.now.replace(hour=14)
    assert not rig.may()


async def test_keys_are_not_asked_for_roles(rig: Rig) -> None:
    """Nor named in them."""
    key = Principal(kind=KEY, name="key1")
    assert rig.book.decide(key, CHAT, ACCOUNT, is_data=True) is ALLOWED_BY_KEY
    assert rig.book.reaches_into(key, CHAT, "")
    assert rig.book.has_part_in(key, "")
    assert not rig.book.decide(
        msgspec.structs.replace(key, kind=USER), CHAT, ACCOUNT, is_data=True
    ).allowed


async def test_locks_tell_their_scopes(rig: Rig) -> None:
    """Each once."""
    await rig.put(GROUP, LOCK_TYPE, "keep", level="CanNotDelete")
    await rig.put(GROUP, LOCK_TYPE, "more", level="CanNotDelete")
    assert rig.book.locked(ACCOUNT, deleting=True) == [GROUP]
    assert rig.book.locked(ACCOUNT, deleting=False) == []


async def test_who_is_behind_lets_nobody_in(rig: Rig) -> None:
    """A change that can't be followed refuses all, until one can be."""
    await rig.assign("ann", ACCOUNT)
    assert rig.may()
    working = rig.store.get

    async def broken(resource_id: str) -> Resource | None:
        raise OSError(resource_id)

    rig.store.get = broken
    with suppress(OSError):
        await rig.assign("app", ACCOUNT, "2")
    assert not rig.may()
    assert not rig.book.reaches_into(ANN, CHAT, "", is_data=True)
    rig.store.get = working
    await rig.store.put(Resource(id=GROUP, type="Microsoft.Resources/resourceGroups", name="rg"))
    assert rig.may()
    assert rig.may(APP)


async def test_only_the_book_that_has_read_decides() -> None:
    """Before the first reading all are refused."""
    rig = Rig()
    rig.store = MemoryResourceStore()
    await rig.assign("ann", ACCOUNT)
    rig.book = AccessBook(rig.store, lambda: rig.now)
    assert not rig.may()
    await rig.book.refresh()
    assert rig.may()


async def test_an_assignment_of_an_unknown_role_grants_nothing(rig: Rig) -> None:
    """Also a role that was removed while assigned."""
    await rig.put(
        ACCOUNT, ROLE_ASSIGNMENT_TYPE, roleDefinitionId="/x/gone", principalId=ANN.object_id
    )
    assert not rig.may()
