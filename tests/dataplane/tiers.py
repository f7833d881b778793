"""Deployments of any SKU on a rig's one instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.domain.placement import Placement, placement_resource
from linarite.domain.resource import DEPLOYMENT_TYPE, Resource
from tests.dataplane.rig import GA

if TYPE_CHECKING:
    from tests.dataplane.rig import Rig


async def deploy(
    running: Rig,
    name: str,
    sku: str = "GlobalStandard",
    *,
    reserved: float = 0.0,
    capacity: int = 100,
    tags: dict[str, str] | None = None,
    **properties: Any,  # noqa: ANN401 - any JSON
) -> None:
    """A deployment as the control plane writes one; `reserved` is its tokens a second."""
    resource = Resource(
        id=f"{running.account_id}/deployments/{name}",
        type=DEPLOYMENT_TYPE,
        name=name,
        tags=tags or {},
        sku={"name": sku, "capacity": capacity},
        properties={
            "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"},
            **properties,
        },
    )
    await running.resources.put(resource)
    placement = Placement(instance="one", region="", reserved=reserved)
    await running.resources.put(placement_resource(resource.id, placement))
    await running.facts.read_anew(running.account_id)


def chat_on(name: str) -> str:
    """The dated path of a deployment's chat."""
    return f"/openai/deployments/{name}/chat/completions?api-version={GA}"
