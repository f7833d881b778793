"""PUT: makes a resource or replaces it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane import conditions
from linarite.controlplane.authorizing import require_linked
from linarite.controlplane.managed_identities import newly_assigned
from linarite.controlplane.policy.guard import require_compliant, tell
from linarite.controlplane.resource_type import found as present
from linarite.controlplane.verbs.get import showing_one
from linarite.controlplane.verbs.operation import followed
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.controlplane.wire import read_object, read_resource
from linarite.domain.arm_errors import Problem, refusal, request_conflict
from linarite.domain.arm_id import parent_id
from linarite.domain.jobs import Job
from linarite.domain.resource import EtagMismatch, Put, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.controlplane.caller import Caller
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Surface


async def put(request: ArmRequest, target: Target, row: ResourceType, surface: Surface) -> Answer:
    """201 (for some types 200) for a new resource, 200 for one that was there.

    What is sent replaces what was there; what only the server sets stays. A request that changes
    nothing writes nothing.
    """
    sent = read_resource(request, row)
    require_name(target, row)
    async with surface.turn:
        parent = await stored_parent_id(surface, parent_id(target.path), row.type, "write")
        old = await present(surface, row, target.path)
        conditions.require(_conditions(request, row), old, target.path)
        new = proposed(sent, old, target, row, parent)
        written = await admitted(Change(old, new), request, target, row, surface)
        told = await row.tell(surface, written.resource)
    answer = showing_one(
        row.created if old is None else row.replaced, written.resource, row, surface, request
    )
    answer.body["properties"] |= told
    return followed(answer, "azure-asyncoperation", written.job, request, surface)


def _conditions(request: ArmRequest, row: ResourceType) -> Mapping[str, str]:
    """Those of the headers; where a type's body has an etag, that one too."""
    if row.etag_word == "etag":
        return request.headers
    sent = read_object(request.body).get(row.etag_word)
    more = {"if-match": sent} if isinstance(sent, str) and sent else {}
    return request.headers | more


class Written(msgspec.Struct, frozen=True):
    """A write that was made, and the job that carries it out, if there is anything to do."""

    resource: Resource
    job: Job | None = None


class Change(msgspec.Struct, frozen=True):
    """A write that is asked for."""

    old: Resource | None
    new: Resource


async def admitted(
    change: Change, request: ArmRequest, target: Target, row: ResourceType, surface: Surface
) -> Written:
    """Complete, admit, stamp and commit; PUT and PATCH end here. Raises ArmError."""
    old = change.old
    if old is not None and any(
        each.resource_id.lower() == old.id.lower() for each in await surface.jobs.running(old.id)
    ):
        raise request_conflict(old.id)
    # Policies change and refuse what is asked for, before the server completes it.
    found = await require_compliant(change.new, request, row, surface)
    facts = await row.gather(surface, target)
    new = row.complete(found.resource, old, facts)
    # What is not there is told to those alone who may use it: to others it is like what is.
    require_linked(
        surface,
        request.caller,
        (f"{row.grants}/write", target.path),
        [*row.linked(new, old), *newly_assigned(new, old)],
    )
    if problems := row.admit(new, old, facts):
        raise refusal(problems)
    new = without(new, row.write_only)
    if old is not None and same(new, old):
        return Written(old)
    stamped = msgspec.structs.replace(
        new, system_data=system_data(old, request.caller, surface.now().isoformat())
    )
    job = row.job(stamped, old)
    changes, jobs = await row.beside(surface, stamped, old)
    if job is not None:
        job = msgspec.structs.replace(job, correlation_id=request.correlation_id)
    write = Put(stamped, expected_etag=old.etag if old else "")
    try:
        written = await surface.resources.commit([write, *changes], [job, *jobs] if job else jobs)
    except EtagMismatch:
        # The client's own conditions have held: a job has ended in between.
        raise request_conflict(target.path) from None
    stored = cast("Resource", written[0])
    await row.written(surface, stored)
    await tell(found, request, surface)
    return Written(stored, job)


def require_name(target: Target, row: ResourceType) -> None:
    """Let a name pass that the type allows. Raises ArmError."""
    name = target[row.name_word]
    if re.fullmatch(row.name_pattern, name) is None:
        raise refusal(
            [
                Problem(
                    "InvalidResourceName",
                    f"The resource name '{name[:200]}' is invalid for type '{row.type}': it must "
                    f"match '{row.name_pattern}'.",
                    "name",
                )
            ]
        )


def proposed(
    sent: dict[str, Any], old: Resource | None, target: Target, row: ResourceType, parent: str
) -> Resource:
    """What a PUT asks for: what was sent, and of the old what only the server sets."""
    kept_back = row.read_only | row.hidden
    kept = {k: v for k, v in (old.properties if old else {}).items() if k in kept_back}
    fresh = Resource(
        id=parent + target.path[len(parent) :],
        type=row.type,
        name=target[row.name_word],
        properties=kept | {k: v for k, v in sent["properties"].items() if v is not None},
        location=sent.get("location"),
        kind=sent.get("kind"),
        sku=sent.get("sku"),
        tags=sent.get("tags"),
        identity=sent.get("identity"),
    )
    if old is None:
        return fresh
    return msgspec.structs.replace(
        fresh, id=old.id, name=old.name, location=fresh.location or old.location
    )


def without(resource: Resource, names: frozenset[str]) -> Resource:
    """The resource without some of its properties."""
    if names.isdisjoint(resource.properties):
        return resource
    properties = {key: value for key, value in resource.properties.items() if key not in names}
    return msgspec.structs.replace(resource, properties=properties)


def same(new: Resource, old: Resource) -> bool:
    """Whether a write would change nothing."""
    return msgspec.structs.replace(new, system_data=old.system_data, etag=old.etag) == old


def system_data(old: Resource | None, caller: Caller, now: str) -> dict[str, Any]:
    """Who made the resource and who changed it last, and when."""
    made = {"createdBy": caller.name, "createdByType": caller.kind, "createdAt": now}
    changed = {
        "lastModifiedBy": caller.name,
        "lastModifiedByType": caller.kind,
        "lastModifiedAt": now,
    }
    return (old.system_data if old else made) | changed
