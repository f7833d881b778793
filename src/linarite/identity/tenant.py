"""This server's tenant: what its tokens, resources and roles belong to."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from linarite.domain.resource import ResourceStore

TENANT_TYPE = "Microsoft.Resources/tenants"


async def tenant_of(resources: ResourceStore, named: str = "") -> str:
    """The GUID that settings name, in lower case, else the one made up at the first start."""
    if named:
        return named.lower()
    known = await resources.list_under("", TENANT_TYPE)
    if known:
        return known[0].name
    made = str(uuid.uuid4())
    await resources.put(Resource(id=f"/tenants/{made}", type=TENANT_TYPE, name=made))
    return made
