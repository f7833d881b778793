"""What a listed model may be, and who still needs it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.jobs import IMPORT_MODEL, REMOVE_MODEL, Job, new_job
from linarite.domain.listed_model import BETWEEN, LISTED_MODEL_TYPE, ListedModel, listed_model_of
from linarite.domain.model_offer import Assortment, ModelOffer
from linarite.domain.resource import DEPLOYMENT_TYPE, Delete, Put, Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Showing, Surface
    from linarite.domain.resource import Change

NAME = rf"[a-zA-Z0-9][\w.-]{{0,79}}{BETWEEN}[a-zA-Z0-9][\w.-]{{0,63}}"
HIDDEN = frozenset(("defaultSince",))
READ_ONLY = frozenset(("provisioningState", "status", "file"))
SOURCE = re.compile(
    r"(?:hf:[\w./@ -]{3,300}|oci://[\w.:/@\[\]-]{3,300}|pypi:[\w./@=:!+ -]{3,400}"
    r"|file:[\w.-]{1,200}|[a-z0-9][a-z0-9._-]{0,79})"
)
"""of a hub, a registry, a package, the folder for imports, the catalogue"""


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
    properties = {"format": "OpenAI", **new.properties}
    if _must_be_brought(new, old):
        properties["provisioningState"] = "Creating"
        properties.pop("file", None)
    else:
        properties["provisioningState"] = "Succeeded"
    was = bool(old and old.properties.get("isDefaultVersion"))
    properties["isDefaultVersion"] = default is None if wanted is None else bool(wanted)
    if wanted is False and was:
        properties.pop("defaultSince", None)
    elif properties["isDefaultVersion"] and not was:
        properties["defaultSince"] = facts.now.isoformat()
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: ListedFacts) -> list[Problem]:
    """Dates in their order, a replacement that is another version."""
    del facts
    listed = listed_model_of(new)
    life = listed.lifecycle
    found: list[Problem] = []
    if listed.source and SOURCE.fullmatch(listed.source) is None:
        found.append(
            Problem(
                "InvalidResourceProperties",
                "The source must be a name of the catalogue, hf:OWNER/REPOSITORY/FILE.gguf, "
                "oci://REGISTRY/REPOSITORY:TAG, pypi:NAME==VERSION, or file:NAME.gguf in the "
                "server's import folder.",
                "properties.source",
            )
        )
    if (
        old is not None
        and listed.source != listed_model_of(old).source
        and old.properties.get("file")
    ):
        found.append(
            Problem(
                "PropertyChangeNotAllowed",
                "Changing property 'properties.source' is not allowed: a version is one file. "
                "List another version.",
                "properties.source",
            )
        )
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


def job(new: Resource, old: Resource | None) -> Job | None:
    """The work that brings its file."""
    return new_job(IMPORT_MODEL, new.id) if _must_be_brought(new, old) else None


def _must_be_brought(new: Resource, old: Resource | None) -> bool:
    """Whether its file is still to come: a new source, or one that failed before."""
    source = new.properties.get("source")
    if not source:
        return False
    return (
        old is None
        or source != old.properties.get("source")
        or old.properties.get("provisioningState") == "Failed"
    )


async def remove(surface: Surface, resource: Resource) -> None:
    """Take it off the list, and have a job take out the file that it had brought."""
    jobs: list[Job] = []
    if resource.properties.get("source"):
        jobs.append(
            new_job(
                REMOVE_MODEL,
                resource.id,
                arguments={"resource": msgspec.to_builtins(resource)},
            )
        )
    await surface.resources.commit([Delete(resource.id, resource.etag)], jobs)


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
    """A version that deployments use stays, and one whose file is on its way."""
    if await surface.jobs.running(resource.id):
        return [
            Problem(
                "RequestConflict",
                f"The file of '{resource.name}' is being brought. Please try again later.",
                "name",
                409,
            )
        ]
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
            f"{' and others' if len(users) > 5 else ''}. Change or delete these first.",  # noqa: PLR2004 - as many as are named above
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
