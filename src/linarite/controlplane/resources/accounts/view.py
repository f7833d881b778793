"""An account as clients read it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from linarite.domain.resource import domain_of

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing
    from linarite.domain.resource import Resource

OPENAI = {
    "OpenAI Language Model Instance API": "openai",
    "OpenAI Model Scaleset API": "openai",
}
ENDPOINTS = {"OpenAI": OPENAI, "AIServices": OPENAI | {"AI Foundry API": "services.ai"}}
"""by kind: the words under which clients look an endpoint up → what stands in its host name"""
MAIN_ENDPOINT = {"AIServices": "cognitiveservices"}
"""what stands in the host name of `properties.endpoint`, where it is not `openai`"""


def show(account: Resource, showing: Showing) -> dict[str, Any]:
    """The stored properties and those that follow from them.

    The endpoint lies on this server: under the account's own path, which works without a host
    name for each account, or under its own name, as settings say.
    """
    word, kind = domain_of(account), account.kind or ""
    endpoint = f"{showing.endpoint(word, MAIN_ENDPOINT.get(kind, 'openai'))}/"
    return {
        "dateCreated": account.system_data.get("createdAt"),
        **account.properties,
        "endpoint": endpoint,
        "endpoints": {
            name: f"{showing.endpoint(word, service)}/"
            for name, service in ENDPOINTS.get(kind, {}).items()
        },
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
