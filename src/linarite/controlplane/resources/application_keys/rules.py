"""What an application key may be. A pure module: facts come in, problems go out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.application_key import KEY_ID, expiry_s, moment_of
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id
from linarite.domain.resource import ACCOUNT_TYPE, Resource
from linarite.domain.roles import OPENAI_USER, role_guid
from linarite.domain.scopes import holds, scope_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controlplane.surface import Showing

KEYS_MAX = 1_000
"""of one account: each is looked at whenever the account's facts are read"""


LIST_KEYS = f"{ACCOUNT_TYPE}/listKeys/action"


class KeyFacts(msgspec.Struct, frozen=True):
    """What is known when an application key is admitted."""

    roles: dict[str, Resource]
    """role definitions by GUID"""
    role_path: str
    """what stands before the GUID in a role definition's id"""
    fresh_id: str
    """one that no key has had"""
    others: int
    """how many keys the account has beside this one"""
    now: datetime


def linked(new: Resource | None, old: Resource | None) -> list[tuple[str, str]]:
    """Whoever gives out a key could use it: that takes the right to the account's own keys."""
    del old
    return [] if new is None else [(LIST_KEYS, parent_id(new.id))]


def complete(new: Resource, old: Resource | None, facts: KeyFacts) -> Resource:
    """Ids and times as this server writes them; a new key has an id of its own."""
    del old
    sent = new.properties
    properties: dict[str, Any] = {
        "enabled": True,
        **sent,
        "roleDefinitionId": facts.role_path
        + role_guid(str(sent.get("roleDefinitionId") or OPENAI_USER)),
        "provisioningState": "Succeeded",
        KEY_ID: sent.get(KEY_ID) or facts.fresh_id,
    }
    moment = _moment(sent.get("expiresAt"))
    if moment is not None:
        properties["expiresAt"] = _told(moment)
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: KeyFacts) -> list[Problem]:
    """Everything that is wrong with it."""
    return [
        *_role_problems(new, facts),
        *_expiry_problems(new, old, facts),
        *_number_problems(old, facts),
    ]


def show(key: Resource, showing: Showing) -> dict[str, Any]:
    """What is stored, and how the key stands; the key itself nobody can show."""
    used = showing.last_used(str(key.properties.get(KEY_ID)))
    return key.properties | {
        "createdAt": key.system_data.get("createdAt"),
        "lastUsedAt": _told(datetime.fromtimestamp(used, UTC)) if used else None,
        "status": _status(key, showing.now),
    }


def _status(key: Resource, now: datetime) -> str:
    if not key.properties.get("enabled", True):
        return "Disabled"
    expires = expiry_s(key.properties.get("expiresAt"))
    return "Expired" if 0 < expires <= now.timestamp() else "Active"


def _role_problems(new: Resource, facts: KeyFacts) -> Iterator[Problem]:
    guid = role_guid(new.properties["roleDefinitionId"])
    role = facts.roles.get(guid)
    target = "properties.roleDefinitionId"
    if role is None:
        yield Problem(
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{guid[:100]}' does not exist.",
            target,
            404,
        )
        return
    name, assignable = role.properties["roleName"], role.properties["assignableScopes"]
    scope = scope_key(parent_id(new.id))
    if not any(holds(scope_key(each), scope) for each in assignable):
        yield Problem(
            "RoleNotAssignableHere",
            f"The account is not in the assignable scopes of the role '{name}': "
            f"{', '.join(assignable)}.",
            target,
        )
    if not any(each.get("dataActions") for each in role.properties["permissions"]):
        yield Problem(
            "RoleGrantsNoDataAction",
            f"The role '{name}' grants no data action: a key with it would open nothing. Use one "
            "such as 'Cognitive Services OpenAI User'.",
            target,
        )


def _expiry_problems(new: Resource, old: Resource | None, facts: KeyFacts) -> Iterator[Problem]:
    told = new.properties.get("expiresAt")
    if not told or (old is not None and told == old.properties.get("expiresAt")):
        return
    moment = _moment(told)
    if moment is None:
        yield Problem(
            "InvalidExpiry",
            f"'{str(told)[:100]}' is no time: write it as '2027-01-31T12:00:00Z'.",
            "properties.expiresAt",
        )
    elif moment <= facts.now:
        yield Problem(
            "InvalidExpiry",
            f"The key would have expired at {_told(moment)}; it is {_told(facts.now)} now. To end "
            "a key, set enabled to false or delete it.",
            "properties.expiresAt",
        )


def _number_problems(old: Resource | None, facts: KeyFacts) -> Iterator[Problem]:
    if old is None and facts.others >= KEYS_MAX:
        yield Problem(
            "ApplicationKeyLimitReached",
            f"The account has {facts.others} application keys, and may have {KEYS_MAX}. Delete "
            "some that are not used any more: `linarite keys application list` tells which.",
            "name",
            409,
        )


def _moment(told: object) -> datetime | None:
    if not told:
        return None
    try:
        return moment_of(str(told))
    except (ValueError, OverflowError):
        return None


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
