"""`/metadata/endpoints`: how `az cloud register` and others find everything of a cloud.

Source: the answer of Azure's own endpoint, api-version 2022-09-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from linarite.controlplane.request import Answer

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

FIRST_OF_ONE_CLOUD = "2022-09-01"
"""older versions answer with a list of clouds"""


async def endpoints(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """This cloud: sign-in and management lie on the address under which it was asked."""
    del target
    cloud = _cloud(request.base_url, surface.realm.tenant)
    return Answer(200, cloud if request.api_version >= FIRST_OF_ONE_CLOUD else [cloud])


def _cloud(base_url: str, tenant: str) -> dict[str, Any]:
    host = urlsplit(base_url).hostname or "localhost"
    return {
        "name": "Linarite",
        "portal": f"{base_url}/",
        "authentication": {
            "loginEndpoint": base_url,
            "audiences": [f"{base_url}/"],
            "tenant": tenant,
            "identityProvider": "AAD",
        },
        "resourceManager": f"{base_url}/",
        "graphAudience": f"{base_url}/",
        "graph": f"{base_url}/",
        "microsoftGraphResourceId": f"{base_url}/",
        "gallery": f"{base_url}/",
        "suffixes": {"keyVaultDns": f"vault.{host}", "storage": f"storage.{host}"},
    }
