"""Regions and data zones: where a deployment's SKU lets it run.

Azure's deployment types (learn.microsoft.com, "Deployment types for Azure AI Foundry Models"): a
regional SKU stays in the account's region, a data-zone SKU in its zone, a global one runs anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Mapping

Reach = Literal["region", "data zone", "globe"]

HERE = ""
"""the region of everything where settings declare none: this machine stands for every location"""


class RegionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A region of this installation. One `[regions.NAME]` table each; none: one for all."""

    title: Annotated[
        str, Meta(description="As the header x-ms-region shows it. Empty: its name.")
    ] = ""
    data_zone: Annotated[
        str, Meta(description="The data zone it belongs to. Empty: a zone of its own.")
    ] = ""
    memory_mib: Annotated[
        int,
        Meta(
            description="Memory for models that deployments bring here; 0: as much as there is.",
            ge=0,
        ),
    ] = 0


class PlaceRefused(LinariteError):
    """A deployment cannot be placed; the code says why, the message what would help."""

    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def reach_of(sku: str) -> Reach:
    """How far a SKU lets prompts go."""
    if sku.startswith("DataZone"):
        return "data zone"
    if sku.startswith("Global") or sku == "DeveloperTier":
        return "globe"
    return "region"


class Regions:
    """The regions of this installation, in the order of settings."""

    def __init__(self, declared: Mapping[str, RegionSettings]) -> None:
        self._declared = declared

    def eligible(self, sku: str, location: str) -> list[str]:
        """Regions in which a deployment may run, the account's own first. Raises PlaceRefused."""
        if not self._declared:
            return [HERE]
        reach = reach_of(sku)
        home = self._declared.get(location)
        if home is None and reach != "globe":
            raise PlaceRefused(
                "InvalidResourceProperties",
                f"The SKU '{sku}' keeps a deployment in its account's {reach}, but no region "
                f"'{location}' is declared here. Regions: {', '.join(self._declared)}. Create the "
                "account in one of them, or add it to the settings: [regions.NAME].",
            )
        return [
            *([location] if home is not None else []),
            *(
                name
                for name, region in self._declared.items()
                if name != location and _reaches(reach, home, region)
            ),
        ]

    def names(self) -> list[str]:
        """All of them; the one that stands for all where settings declare none."""
        return list(self._declared) or [HERE]

    def title(self, name: str) -> str:
        """A region as `x-ms-region` shows it; "" where settings declare none."""
        region = self._declared.get(name)
        return (region.title or name) if region is not None else ""

    def memory_bytes(self, name: str) -> int | None:
        """The bound on a region's memory; None is none."""
        region = self._declared.get(name)
        return region.memory_mib * 1024 * 1024 if region is not None and region.memory_mib else None


def _reaches(reach: Reach, home: RegionSettings | None, region: RegionSettings) -> bool:
    if reach == "globe":
        return True
    same_zone = home is not None and bool(home.data_zone) and home.data_zone == region.data_zone
    return reach == "data zone" and same_zone
