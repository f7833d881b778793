"""What accounts need from the stores, and what writing or deleting one does."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.resources.accounts.rules import AccountFacts
from linarite.controlplane.retired import (
    recoverable,
    recovered_children,
    retiring,
)
from linarite.domain.arm_id import same_id, subscription_of
from linarite.domain.customer_keys import CustomerKeyUnavailable, asked_key, present_key
from linarite.domain.declared import is_declared, settled_by_settings
from linarite.domain.jobs import PROVISION_DEPLOYMENT, Job, new_job
from linarite.domain.resource import (
    ACCOUNT_TYPE,
    DELETED_ACCOUNT_TYPE,
    DELETED_FROM,
    DEPLOYMENT_TYPE,
    Delete,
    Put,
    domain_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Change, Resource


async def gather(surface: Surface, target: Target) -> AccountFacts:
    """Regions, which names others have, and whether there is a deleted account of this name.

    Raises CustomerKeyUnavailable: an account whose key is gone is not changed until it is back.
    """
    await surface.keys.digests(target.path)
    accounts = await surface.resources.list_under("", ACCOUNT_TYPE)
    deleted = await recoverable(surface)
    here = [each for each in accounts if each.id.lower() != target.path.lower()]
    return AccountFacts(
        id=target.path,
        realm=surface.realm,
        domains_taken={domain_of(account): account.id for account in here}
        | {domain_of(each): str(each.properties[DELETED_FROM]) for each in deleted},
        accounts_max=surface.quota.accounts_max,
        others_by_location=_counted(here),
        deleted=next(
            (each for each in deleted if same_id(each.properties[DELETED_FROM], target.path)), None
        ),
        now=surface.now().isoformat(),
        customer_keys=await asyncio.to_thread(surface.keys.customer_keys.known),
        subnets=frozenset(each.subnet_id.lower() for each in surface.networks.all),
    )


async def beside(
    surface: Surface, account: Resource, old: Resource | None
) -> tuple[list[Change], list[Job]]:
    """With a recovered account comes back what lay under it; its deployments start again."""
    if old is not None:
        return [], []
    for deleted in await recoverable(surface):
        if same_id(deleted.properties[DELETED_FROM], account.id):
            break
    else:
        return [], []
    children = [
        child
        for kind in _child_types(surface, DELETED_ACCOUNT_TYPE)
        for child in await surface.resources.list_under(deleted.id, kind)
    ]
    back = [
        msgspec.structs.replace(
            child, properties=child.properties | {"provisioningState": "Creating"}
        )
        if child.type == DEPLOYMENT_TYPE
        else child
        for child in recovered_children(deleted, children)
    ]
    jobs = [
        new_job(PROVISION_DEPLOYMENT, child.id) for child in back if child.type == DEPLOYMENT_TYPE
    ]
    return [Delete(deleted.id), *map(Put, back)], jobs


async def written(surface: Surface, account: Resource) -> None:
    """An account has keys from its beginning, and they are sealed as it says.

    Raises CustomerKeyUnavailable.
    """
    asked = asked_key(account.properties)
    known = await asyncio.to_thread(surface.keys.customer_keys.known) if asked else ()
    await _seal(surface, account, known)
    await surface.keys_changed(account.id)


async def _seal(surface: Surface, account: Resource, known: Sequence[str]) -> None:
    """Seal its keys as its `encryption` says, with the newest version where it names none.

    `known` are the keys of all key vaults. Raises CustomerKeyUnavailable.
    """
    asked = asked_key(account.properties)
    key_id = present_key(asked, known) if asked else ""
    if key_id is None:
        raise CustomerKeyUnavailable(asked)
    await surface.keys.encrypt(account.id, key_id)


async def seal_anew(surface: Surface) -> None:
    """Follow key vaults: newer versions, and keys that have gone or are back. Wants the turn."""
    accounts = await surface.resources.list_under("", ACCOUNT_TYPE)
    known = await asyncio.to_thread(surface.keys.customer_keys.known)
    asking = {each.id for each in accounts if asked_key(each.properties)}
    for account in accounts if known or asking else ():
        # Those that ask for none are among them: a server may have died before it was taken away.
        with contextlib.suppress(CustomerKeyUnavailable):
            await _seal(surface, account, known)
        if account.id in asking:
            await surface.keys_changed(account.id)


async def keep(surface: Surface, account: Resource) -> list[Problem]:
    """An account that settings declare stays."""
    del surface
    return [settled_by_settings(account, "[account]")] if is_declared(account) else []


async def remove(surface: Surface, account: Resource) -> None:
    """Delete it so that it can be recovered: nothing finds it any more, its keys stay sealed."""
    children = [
        child
        for kind in _child_types(surface, ACCOUNT_TYPE)
        for child in await surface.resources.list_under(account.id, kind)
    ]
    await surface.resources.commit(retiring(account, children, surface.now()))


def _child_types(surface: Surface, parent_type: str) -> list[str]:
    """The types of what may lie under an account, as they are called under `parent_type`."""
    beginning = f"{ACCOUNT_TYPE}/".lower()
    return [
        f"{parent_type}/{row.type[len(beginning) :]}"
        for kind, row in surface.rows.items()
        if kind.startswith(beginning)
    ]


def _counted(accounts: list[Resource]) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for account in accounts:
        key = (subscription_of(account.id).lower(), account.location or "")
        counts[key] = counts.get(key, 0) + 1
    return counts
