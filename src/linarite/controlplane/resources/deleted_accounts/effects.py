"""Purging: the end of a deleted account, and of everything sealed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.domain.resource import DELETED_FROM

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing, Surface
    from linarite.domain.resource import Resource


async def purge(surface: Surface, deleted: Resource) -> None:
    """Remove what is kept and destroy its keys; its name can be had again."""
    await surface.resources.delete(deleted.id)
    await surface.keys.forget(str(deleted.properties[DELETED_FROM]))


def show(deleted: Resource, showing: Showing) -> dict[str, Any]:
    """The account's properties as they were, and when it was deleted and will be purged."""
    del showing
    return deleted.properties | {"provisioningState": "Succeeded"}
