"""A version of a model as the control plane's catalogue lists it: our own resource type.

Azure's catalogue is Microsoft's to keep; here the operator keeps it, so it can be written. Where
ARM has words for what is said of a model, these are ARM's (`lifecycleStatus`, `isDefaultVersion`,
`deprecation.inference`, `replacementConfig`).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from linarite.domain.model_lifecycle import Lifecycle, Replacement, Stage, in_utc

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

LISTED_MODEL_TYPE = "Linarite.Hosting/models"
BETWEEN = "@"
"""stands between a model's name and its version in a resource's name"""


class Deprecation(msgspec.Struct, rename="camel"):
    """When a version ends."""

    new_deployments: datetime | None = None
    """from then on it can't be newly deployed"""
    inference: datetime | None = None
    """from then on it answers 410"""


class ReplacementConfig(msgspec.Struct, rename="camel"):
    """What follows it."""

    target_model_name: str | None = None
    target_model_version: str | None = None
    auto_upgrade_start_date: datetime | None = None
    upgrade_on_expiry_lead_time_days: Annotated[int, Meta(ge=0, le=3650)] | None = None


class SentListedModel(msgspec.Struct, rename="camel"):
    """What may be set."""

    format: str | None = None
    source: str | None = None
    """where its file comes from; none for models that have no file here"""
    lifecycle_status: Stage | None = None
    is_default_version: bool | None = None
    deprecation: Deprecation | None = None
    replacement_config: ReplacementConfig | None = None
    capabilities: dict[str, str] | None = None


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A version that the catalogue lists."""

    name: str
    version: str
    format: str = "OpenAI"
    source: str = ""
    capabilities: dict[str, str] = {}
    lifecycle: Lifecycle = Lifecycle()


def is_listed_model(resource_id: str) -> bool:
    """Whether an id is that of a listed model."""
    return f"/providers/{LISTED_MODEL_TYPE}/".lower() in resource_id.lower()


def listed_model_of(resource: Resource) -> ListedModel:
    """The version that a resource lists; its properties have been checked when it was written."""
    name, _, version = resource.name.partition(BETWEEN)
    said = msgspec.convert(resource.properties, SentListedModel)
    since = resource.properties.get("defaultSince")
    deprecation = said.deprecation or Deprecation()
    return ListedModel(
        name=name,
        version=version,
        format=said.format or "OpenAI",
        source=said.source or "",
        capabilities=said.capabilities or {},
        lifecycle=Lifecycle(
            stage=said.lifecycle_status or "GenerallyAvailable",
            deprecated_at=_in_utc(deprecation.new_deployments),
            retired_at=_in_utc(deprecation.inference),
            default_since=_in_utc(datetime.fromisoformat(since)) if since else None,
            replacement=_replacement(said.replacement_config),
        ),
    )


def shown_lifecycle(lifecycle: Lifecycle, now: datetime) -> dict[str, Any]:
    """What ARM's model lists say of a lifecycle."""
    told: dict[str, Any] = {"lifecycleStatus": lifecycle.status(now)}
    if lifecycle.retired_at is not None:
        told["deprecation"] = {
            "inference": written(lifecycle.retired_at),
            "deprecationStatus": "Planned",
        }
    after = lifecycle.replacement
    if after is not None:
        said = {
            "targetModelName": after.name or None,
            "targetModelVersion": after.version or None,
            "autoUpgradeStartDate": written(after.upgrade_from) if after.upgrade_from else None,
            "upgradeOnExpiryLeadTimeDays": after.lead_days or None,
        }
        told["replacementConfig"] = {key: value for key, value in said.items() if value is not None}
    return told


def written(moment: datetime) -> str:
    """As ARM writes a moment."""
    return in_utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def _replacement(said: ReplacementConfig | None) -> Replacement | None:
    if said is None:
        return None
    return Replacement(
        name=said.target_model_name or "",
        version=said.target_model_version or "",
        upgrade_from=_in_utc(said.auto_upgrade_start_date),
        lead_days=said.upgrade_on_expiry_lead_time_days or 0,
    )


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else in_utc(moment)
