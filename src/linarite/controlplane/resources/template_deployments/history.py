"""The history of template deployments is bounded, as Azure's is.

Source: learn.microsoft.com, "Automatic deletions from deployment history": a scope holds 800; when
there are more than 775, the oldest are deleted until 750 are left. What was deployed stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.resources.template_deployments.place import DEPLOYMENT_TYPE
from linarite.controlplane.resources.template_deployments.records import ENDED
from linarite.domain.arm_id import parent_id
from linarite.domain.resource import Delete, EtagMismatch

if TYPE_CHECKING:
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

TRIMMED_ABOVE = 775
TRIMMED_TO = 750


async def trim_history(surface: Surface) -> None:
    """Forget the oldest deployments of each scope that has too many; running ones stay."""
    by_scope: dict[str, list[Resource]] = {}
    for one in await surface.resources.list_under("", DEPLOYMENT_TYPE):
        by_scope.setdefault(parent_id(one.id).lower(), []).append(one)
    for deployments in by_scope.values():
        if len(deployments) <= TRIMMED_ABOVE:
            continue
        ended = [one for one in deployments if one.properties.get("provisioningState") in ENDED]
        ended.sort(key=lambda one: str(one.properties.get("timestamp", "")))
        for one in ended[: len(deployments) - TRIMMED_TO]:
            try:
                await surface.resources.commit([Delete(one.id, one.etag)])
            except EtagMismatch:  # it is being deployed again
                continue
