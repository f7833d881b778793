"""Whom action groups name, as destinations of letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.alerts import receivers_of

if TYPE_CHECKING:
    from linarite.domain.alerts import WebhookReceiver
    from linarite.domain.resource import ResourceStore


async def told_by(resources: ResourceStore, group_id: str) -> dict[str, WebhookReceiver]:
    """Destination → receiver of a group; none where there is no such group, or it is off."""
    group = await resources.get(group_id.rstrip("/"))
    if group is None or not group.properties.get("enabled", True):
        return {}
    return {destination_name(group.id, each.name): each for each in receivers_of(group.properties)}


def destination_name(group_id: str, receiver: str) -> str:
    """What a receiver of an action group is called as a webhook's destination."""
    return f"{group_id}#{receiver}"
