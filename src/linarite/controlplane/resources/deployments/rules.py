"""What a deployment may be. A pure module: facts come in, problems go out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.kinds import DEPLOYMENT_SKUS
from linarite.controlplane.quota import QuotaBook
from linarite.controlplane.resources.deployments.service import (
    lending_problems,
    spillover_problems,
    tier_problems,
)
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id
from linarite.domain.declared import is_declared, settled_by_settings
from linarite.domain.facts import Sku
from linarite.domain.jobs import PROVISION_DEPLOYMENT, Job, new_job
from linarite.domain.model_offer import Assortment, ModelOffer
from linarite.domain.rate_limits import RATE_LIMITED

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

NAME = r"[a-zA-Z0-9][\w.-]{0,63}"


class DeploymentFacts(msgspec.Struct, frozen=True):
    """What is known when a deployment is admitted."""

    assortment: Assortment
    book: QuotaBook
    """of the account's region"""
    now: datetime
    siblings: Mapping[str, Sku] = {}
    """the account's deployments by their lower-cased names"""


def complete(new: Resource, old: Resource | None, facts: DeploymentFacts) -> Resource:
    """Fill in what Azure fills in: the model's default version, one unit of the Standard SKU."""
    properties: dict[str, Any] = {
        "versionUpgradeOption": "OnceNewDefaultVersionAvailable",
        **new.properties,
    }
    offer = offer_of(new, facts.assortment)
    if offer is not None:
        model: dict[str, Any] = properties["model"]
        properties["model"] = {
            **model,
            "format": offer.format,
            "name": offer.name,
            "version": offer.version,
        }
    sku = new.sku or {"name": "Standard"}
    legacy: dict[str, Any] = new.properties.get("scaleSettings") or {}
    sku = {**sku, "capacity": sku.get("capacity") or legacy.get("capacity") or 1}
    if old is not None and sku != old.sku:
        properties.pop(RATE_LIMITED, None)  # whoever sets a capacity means it
    completed = msgspec.structs.replace(new, sku=sku, properties=properties)
    if old is None or must_be_provisioned(completed, old):
        properties["provisioningState"] = "Creating" if old is None else "Updating"
    return completed


def must_be_provisioned(new: Resource, old: Resource | None) -> bool:
    """Whether something must be brought up: new, another model, SKU or engine, after a failure."""
    if old is None:
        return True
    return (
        new.sku != old.sku
        or new.properties.get("model") != old.properties.get("model")
        or new.properties.get("runtime") != old.properties.get("runtime")
        or old.properties.get("provisioningState") == "Failed"
    )


def job(new: Resource, old: Resource | None) -> Job | None:
    """The work that carries a change out, alone under its account."""
    if not must_be_provisioned(new, old):
        return None
    return new_job(PROVISION_DEPLOYMENT, new.id, scope=parent_id(new.id))


def admit(new: Resource, old: Resource | None, facts: DeploymentFacts) -> list[Problem]:
    """Every problem of the deployment as it would be."""
    return [
        *(_declared_problems(new, old) if old else []),
        *_model_problems(new, old, facts),
        *_sku_problems(new),
        *spillover_problems(new, facts.siblings),
        *tier_problems(new),
        *lending_problems(new),
        *_quota_problems(new, old, facts.book),
    ]


def offer_of(deployment: Resource, assortment: Assortment) -> ModelOffer | None:
    """The offered model that a deployment names."""
    model: dict[str, Any] = deployment.properties.get("model") or {}
    return assortment.find(
        model_format=str(model.get("format") or "OpenAI"),
        name=str(model.get("name") or ""),
        version=str(model.get("version") or ""),
    )


def _model_problems(new: Resource, old: Resource | None, facts: DeploymentFacts) -> list[Problem]:
    model: dict[str, Any] = new.properties.get("model") or {}
    if not model.get("name"):
        return [
            Problem(
                "InvalidResourceProperties",
                "A deployment names a model: properties.model.name is missing.",
                "properties.model.name",
            )
        ]
    offer = offer_of(new, facts.assortment)
    if offer is not None:
        same = old is not None and new.properties.get("model") == old.properties.get("model")
        return [] if same else _lifecycle_problems(offer, facts.now)
    there = ", ".join(
        f"{each.name} {each.version} ({each.format})" for each in facts.assortment.offers
    )
    return [
        Problem(
            "DeploymentModelNotSupported",
            f"The model 'Format:{model.get('format') or 'OpenAI'},Name:{model['name']},"
            f"Version:{model.get('version') or ''}' of account deployment is not supported. "
            f"This server has: {there or 'none'}.",
            "properties.model",
        )
    ]


def _lifecycle_problems(offer: ModelOffer, now: datetime) -> list[Problem]:
    """A version at its end takes no new deployments; Azure's codes and words."""
    model = f"The model 'Format:{offer.format},Name:{offer.name},Version:{offer.version}'"
    ends = offer.lifecycle.retired_at
    if ends is not None and ends <= now:
        since = f"{ends:%m/%d/%Y %H:%M:%S}"
        return [
            Problem(
                "ServiceModelDeprecated",
                f"{model} has been deprecated since {since}.",
                "properties.model",
            )
        ]
    if offer.lifecycle.deprecated(now):
        return [
            Problem(
                "ServiceModelDeprecating",
                f"{model} is in deprecating state and cannot be used for new deployments.",
                "properties.model",
            )
        ]
    return []


def _sku_problems(new: Resource) -> list[Problem]:
    sku = new.sku or {}
    found: list[Problem] = []
    if sku.get("name") not in DEPLOYMENT_SKUS:
        model: dict[str, Any] = new.properties.get("model") or {}
        found.append(
            Problem(
                "InvalidResourceProperties",
                f"The specified SKU '{str(sku.get('name'))[:100]}' for model "
                f"'{model.get('name')}' is not supported in this region. Use one of "
                f"{', '.join(DEPLOYMENT_SKUS)}.",
                "sku.name",
            )
        )
    if sku["capacity"] < 1:
        found.append(
            Problem(
                "InvalidCapacity",
                f"The capacity must be 1 or more; it is {sku['capacity']}.",
                "sku.capacity",
            )
        )
    return found


def _quota_problems(new: Resource, old: Resource | None, book: QuotaBook) -> list[Problem]:
    """More capacity than is left. What a deployment already has is never asked for again."""
    sku, model = _sku_and_model(new)
    wanted = int((new.sku or {}).get("capacity") or 0)
    has = 0
    if old is not None and _sku_and_model(old) == (sku, model):
        has = int((old.sku or {}).get("capacity") or 0)
    pool = book.pool(sku, model)
    more = wanted - has
    if more <= 0 or more <= pool.free:
        return []
    return [
        Problem(
            "InsufficientQuota",
            f"This operation require {more} new capacity in quota {pool.title}, which is bigger "
            f"than the current available capacity {pool.free}. The current quota usage is "
            f"{pool.used} and the quota limit is {pool.limit} for quota {pool.title}. The setting "
            f'quota.pools has "{pool.name}", quota.capacity_max is for all others.',
            "sku.capacity",
        )
    ]


def _sku_and_model(deployment: Resource) -> tuple[str, str]:
    model: dict[str, Any] = deployment.properties.get("model") or {}
    return str((deployment.sku or {}).get("name")), str(model.get("name"))


def _declared_problems(new: Resource, old: Resource) -> list[Problem]:
    if not is_declared(old):
        return []
    setting = f'[[deployments]] name = "{old.name}"'
    found: list[Problem] = []
    if new.sku != old.sku:
        found.append(settled_by_settings(old, setting, "sku"))
    if new.properties.get("model") != old.properties.get("model"):
        found.append(settled_by_settings(old, setting, "properties.model"))
    return found
