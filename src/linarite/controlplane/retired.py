"""Accounts that are deleted and can be recovered: how they are kept meanwhile.

A deleted account lies, with everything under it, below an id and types of its own: nothing that
looks for accounts or deployments finds it. Its keys stay until it is purged. Source:
learn.microsoft.com, "Recover or purge deleted Azure AI services resources".
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.arm_id import resource_group_of, subscription_of
from linarite.domain.resource import (
    ACCOUNT_TYPE,
    DELETED_ACCOUNT_TYPE,
    DELETED_FROM,
    Delete,
    Put,
    Resource,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Change

KEPT = timedelta(hours=48)
DATES = ("deletionDate", "scheduledPurgeDate")


def deleted_id(account: Resource) -> str:
    """Where a deleted account is found until it is purged."""
    return (
        f"/subscriptions/{subscription_of(account.id)}/providers/Microsoft.CognitiveServices"
        f"/locations/{account.location}/resourceGroups/{resource_group_of(account.id)}"
        f"/deletedAccounts/{account.name}"
    )


def retiring(account: Resource, children: Iterable[Resource], now: datetime) -> list[Change]:
    """What deletes an account so that it can be recovered."""
    moved = msgspec.structs.replace(
        account,
        id=deleted_id(account),
        type=DELETED_ACCOUNT_TYPE,
        properties=account.properties
        | {
            DELETED_FROM: account.id,
            "deletionDate": now.isoformat(),
            "scheduledPurgeDate": (now + KEPT).isoformat(),
        },
    )
    below = [
        _moved(child, account.id, moved.id, ACCOUNT_TYPE, DELETED_ACCOUNT_TYPE)
        for child in children
    ]
    return [Delete(account.id), Delete(moved.id), *map(Put, (moved, *below))]


def recovered(deleted: Resource) -> Resource:
    """The account as it was."""
    kept_back = (DELETED_FROM, *DATES)
    return msgspec.structs.replace(
        deleted,
        id=str(deleted.properties[DELETED_FROM]),
        type=ACCOUNT_TYPE,
        properties={k: v for k, v in deleted.properties.items() if k not in kept_back},
    )


def recovered_children(deleted: Resource, children: Iterable[Resource]) -> list[Resource]:
    """What lay under the account, as it was."""
    account_id = str(deleted.properties[DELETED_FROM])
    return [
        _moved(child, deleted.id, account_id, DELETED_ACCOUNT_TYPE, ACCOUNT_TYPE)
        for child in children
    ]


def is_over(deleted: Resource, now: datetime) -> bool:
    """Whether the time to recover it has passed."""
    return str(deleted.properties["scheduledPurgeDate"]) <= now.isoformat()


async def recoverable(surface: Surface) -> list[Resource]:
    """Deleted accounts; those whose time is over are purged in passing. Wants `surface.turn`."""
    row = surface.rows[DELETED_ACCOUNT_TYPE.lower()]
    kept: list[Resource] = []
    for deleted in await surface.resources.list_under("", DELETED_ACCOUNT_TYPE):
        if is_over(deleted, surface.now()):
            await row.remove(surface, deleted)
        else:
            kept.append(deleted)
    return kept


def _moved(
    child: Resource, old_parent: str, new_parent: str, old_type: str, new_type: str
) -> Resource:
    return msgspec.structs.replace(
        child,
        id=new_parent + child.id[len(old_parent) :],
        type=new_type + child.type[len(old_type) :],
    )
