"""What a listed model may be, and who still needs it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.listed_model import BETWEEN, LISTED_MODEL_TYPE, ListedModel, listed_model_of
from linarite.domain.model_offer import Assortment, ModelOffer
from linarite.domain.resource import DEPLOYMENT_TYPE, Put, Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Showing, Surface
    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change

NAME = rf"[a-zA-Z0-9][\w.-]{{0,79}}{BETWEEN}[a-zA-Z0-9][\w.-]{{0,63}}"
HIDDEN = frozenset(("defaultSince",))
READ_ONLY = frozenset(("provisioningState", "status"))


class ListedFacts(msgspec.Struct, frozen=True):
    """What is known when a version is admitted."""

    assortment: Assortment
    now: datetime


async def gather(surface: Surface, target: Target) -> ListedFacts:
    """What is on offer, and the time."""
    del target
    return ListedFacts(assortment=surface.offers.now(), now=surface.now())


def complete(new: Resource, old: Resource | None, facts: ListedFacts) -> Resource:
    """The first version of a model is its default one; another becomes it when told so."""
    listed = listed_model_of(new)
    wanted = new.properties.get("isDefaultVersion")
    default = facts.assortment.default_of(model_format=listed.format, name=listed.name)
    properties = {"format": "OpenAI", **new.properties, "provisioningState": "Succeeded"}
    was = bool(old and old.properties.get("isDefaultVersion"))
    properties["isDefaultVersion"] = default is None if wanted is None else bool(wanted)
    if wanted is False and was:
        properties.pop("defaultSince", None)
    elif properties["isDefaultVersion"] and not was:
        properties["defaultSince"] = facts.now.isoformat()
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: ListedFacts) -> list[Problem]:
    """Dates in their order, a replacement that is another version."""
    del old, facts
    listed = listed_model_of(new)
    life = listed.lifecycle
    found: list[Problem] = []
    if life.deprecated_at and life.retired_at and life.deprecated_at > life.retired_at:
        found.append(
            Problem(
                "InvalidResourceProperties",
                "A version is closed to new deployments before it is retired: "
                "properties.deprecation.newDeployments is after properties.deprecation.inference.",
                "properties.deprecation",
            )
        )
    after = life.replacement
    if after is not None and _same_version(listed, after.name or listed.name, after.version):
        found.append(
            Problem(
                "InvalidResourceProperties",
                "A version is not replaced by itself: properties.replacementConfig names it.",
                "properties.replacementConfig",
            )
        )
    return found


async def beside(
    surface: Surface, new: Resource, old: Resource | None
) -> tuple[list[Change], list[Job]]:
    """A version that becomes the default one takes that from the others of its model."""
    del old
    if not new.properties["isDefaultVersion"]:
        return [], []
    changes: list[Change] = []
    for other in await surface.resources.list_under("", LISTED_MODEL_TYPE):
        named = listed_model_of(other)
        if other.id.lower() == new.id.lower() or not other.properties.get("isDefaultVersion"):
            continue
        if named.name.lower() == listed_model_of(new).name.lower():
            # When it was the default one stays known: deployments on it then followed the default.
            properties = other.properties | {"isDefaultVersion": False}
            changed = msgspec.structs.replace(other, properties=properties)
            changes.append(Put(changed, other.etag))
    return changes, []


def show(resource: Resource, showing: Showing) -> dict[str, Any]:
    """What is stored, whether it is the default version now, and how it stands today."""
    listed = listed_model_of(resource)
    offer = _offer(listed, showing.assortment)
    return resource.properties | {
        "isDefaultVersion": bool(offer and offer.is_default_version),
        "status": listed.lifecycle.status(showing.now),
    }


async def keep(surface: Surface, resource: Resource) -> list[Problem]:
    """A version that deployments use stays."""
    listed = listed_model_of(resource)
    users = [
        deployment.id
        for deployment in await surface.resources.list_under("", DEPLOYMENT_TYPE)
        if _is_of(deployment, listed)
    ]
    if not users:
        return []
    return [
        Problem(
            "ModelInUse",
            f"The model '{resource.name}' serves {', '.join(users[:5])}"
            f"{' and others' if len(users) > 5 else ''}. Change or delete these first.",  # noqa: PLR2004
            "name",
            409,
        )
    ]


def _offer(listed: ListedModel, assortment: Assortment) -> ModelOffer | None:
    return assortment.find(model_format=listed.format, name=listed.name, version=listed.version)


def _same_version(listed: ListedModel, name: str, version: str) -> bool:
    return listed.name.lower() == name.lower() and listed.version.lower() == version.lower()


def _is_of(deployment: Resource, listed: ListedModel) -> bool:
    model: dict[str, Any] = deployment.properties.get("model") or {}
    return _same_version(listed, str(model.get("name")), str(model.get("version")))
