"""An account as clients read it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from linarite.domain.resource import domain_of

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing
    from linarite.domain.resource import Resource

ENDPOINT_NAMES = {
    "OpenAI": ("OpenAI Language Model Instance API", "OpenAI Model Scaleset API"),
    "AIServices": (
        "OpenAI Language Model Instance API",
        "OpenAI Model Scaleset API",
        "AI Foundry API",
    ),
}
"""the words under which clients look an endpoint up, by kind"""


def show(account: Resource, showing: Showing) -> dict[str, Any]:
    """The stored properties and those that follow from them.

    The endpoint lies on this server, under the account's own path: that works without a host
    name for each account.
    """
    endpoint = f"{showing.base_url}/{domain_of(account)}/"
    return {
        "dateCreated": account.system_data.get("createdAt"),
        **account.properties,
        "endpoint": endpoint,
        "endpoints": dict.fromkeys(ENDPOINT_NAMES.get(account.kind or "", ()), endpoint),
        "internalId": uuid.uuid5(uuid.NAMESPACE_URL, account.id.lower()).hex,
        "isMigrated": False,
        "callRateLimit": {"rules": []},
        "privateEndpointConnections": [
            {
                "id": each.id,
                "name": each.name,
                "type": each.type,
                "location": each.location,
                "properties": each.properties,
            }
            for each in showing.links.connections_of(account.id)
        ],
        "capabilities": [],
    }
