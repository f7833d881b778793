"""Whether a deployment moves to another version of its model, to which one, and when.

`versionUpgradeOption` as Azure has it (learn.microsoft.com, "Working with models": model updates).
A function of what is known; nothing here upgrades anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.domain.facts import Model, Sku
from linarite.domain.model_lifecycle import ENDLESS, order_of
from linarite.domain.placement import sku_of

if TYPE_CHECKING:
    from linarite.domain.model_offer import Assortment, ModelOffer
    from linarite.domain.resource import Resource

FOLLOWS_DEFAULT = "OnceNewDefaultVersionAvailable"
WAITS_FOR_END = "OnceCurrentVersionExpired"
NEVER = "NoAutoUpgrade"

UPGRADE_TO = "model"
"""the argument of a provisioning job that upgrades: the model's new coordinates"""

UpgradeState = Literal["UpToDate", "Scheduled", "Due", "NotUpgraded"]


class Upgrade(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of a deployment's version."""

    state: UpgradeState
    why: str
    """for people"""
    target: Model | None = None
    due_at: datetime | None = None
    """when it is upgraded; None: at once, or never"""
    retired_at: datetime | None = None
    """when the present version answers no more unless it is upgraded"""


def upgrade_of(deployment: Resource, assortment: Assortment, now: datetime) -> Upgrade:
    """What becomes of a deployment as it stands now."""
    model = model_of(deployment)
    option = str(deployment.properties.get("versionUpgradeOption") or WAITS_FOR_END)
    present = assortment.listed(model)
    life = present.lifecycle if present is not None else ENDLESS
    hindrance = _hindrance(option, sku_of(deployment))
    if hindrance:
        state = "UpToDate" if life.retired_at is None else "NotUpgraded"
        return Upgrade(state=state, why=hindrance, retired_at=life.retired_at)
    if option == FOLLOWS_DEFAULT:
        default = _new_default(model, present, assortment)
        if default is not None:
            since = default.lifecycle.default_since
            begin = life.replacement.upgrade_from if life.replacement else None
            due = max(filter(None, (since, begin)), default=None)
            why = "it follows the default version of its model"
            return _planned(default, due, now, why, life.retired_at)
    if life.retired_at is None:
        return Upgrade(state="UpToDate", why="its version is not retired, and no newer is default")
    target = _after_retirement(model, present, assortment)
    if target is None:
        return Upgrade(
            state="NotUpgraded",
            why="there is no other version to move to when this one is retired",
            retired_at=life.retired_at,
        )
    lead = timedelta(days=life.replacement.lead_days if life.replacement else 0)
    return _planned(target, life.retired_at - lead, now, "its version is retired", life.retired_at)


def model_of(deployment: Resource) -> Model:
    """The model that a deployment names."""
    model: dict[str, Any] = deployment.properties.get("model") or {}
    return Model(
        name=str(model.get("name") or ""),
        version=str(model.get("version") or ""),
        format=str(model.get("format") or "OpenAI"),
    )


def _hindrance(option: str, sku: Sku) -> str:
    """Why it is never upgraded by itself; "" when it may be."""
    if option == NEVER:
        return "its versionUpgradeOption is NoAutoUpgrade"
    return "provisioned deployments are moved by their owners" if sku.provisioned else ""


def _new_default(
    model: Model, present: ModelOffer | None, assortment: Assortment
) -> ModelOffer | None:
    """The default version, if it is another and this deployment has not gone ahead of it."""
    default = assortment.default_of(model_format=model.format, name=model.name)
    if default is None or default.version.lower() == model.version.lower():
        return None
    was_default = present is not None and present.lifecycle.default_since is not None
    newer = order_of(default.version) > order_of(model.version)
    return default if was_default or newer else None


def _after_retirement(
    model: Model, present: ModelOffer | None, assortment: Assortment
) -> ModelOffer | None:
    """The named replacement, else the default version, if it lives longer than the present one."""
    after = present.lifecycle.replacement if present is not None else None
    ends = present.lifecycle.retired_at if present is not None else None
    if ends is None:
        return None
    name = after.name if after is not None and after.name else model.name
    version = after.version if after is not None else ""
    named = Model(name=name, version=version, format=model.format)
    target = (
        assortment.listed(named)
        if version
        else assortment.default_at(ends, model_format=model.format, name=name)
    )
    return None if target is None or target.lifecycle.retired(ends) else target


def _planned(
    target: ModelOffer, due: datetime | None, now: datetime, why: str, retired_at: datetime | None
) -> Upgrade:
    return Upgrade(
        state="Due" if due is None or due <= now else "Scheduled",
        why=why,
        target=Model(name=target.name, version=target.version, format=target.format),
        due_at=due,
        retired_at=retired_at,
    )
