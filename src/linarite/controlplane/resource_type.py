"""A row of the table: what a resource type adds to the verbs that all types share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from linarite.controlplane.request import Answer, ArmRequest, Target
from linarite.controlplane.surface import Realm, Showing, Surface
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id
from linarite.domain.jobs import Job
from linarite.domain.resource import Change, Resource

Shape = type[msgspec.Struct]
"""properties with their types"""
Attributes = Mapping[str, tuple[str, ...]]
"""what conditions of role assignments may ask, as `@request[…]` in lower case"""
Entry = Literal["permission", "part", "anyone"]
"""who may call: who has the permission, who has any role in the subscription or group, anybody
who has proved who they are"""


async def no_facts(surface: Surface, target: Target) -> None:
    """A type whose admission needs to know nothing else."""
    del surface, target


def complete_as_sent(new: Resource, old: Resource | None, facts: Any) -> Resource:  # noqa: ANN401 - each type has facts of its own
    """A type that has no defaults."""
    del old, facts
    return new


def admit_all(new: Resource, old: Resource | None, facts: Any) -> list[Problem]:  # noqa: ANN401 - each type has facts of its own
    """A type without rules of its own."""
    del new, old, facts
    return []


def read_as_sent(properties: dict[str, Any], api_version: str) -> dict[str, Any]:
    """A type whose shape is the same in every api-version."""
    del api_version
    return properties


def show_stored(resource: Resource, showing: Showing) -> dict[str, Any]:
    """A type that shows what is stored."""
    del showing
    return resource.properties


async def removed(surface: Surface, resource: Resource) -> None:
    """Remove the resource and everything under it."""
    await surface.resources.delete(resource.id)


async def nothing_more(surface: Surface, resource: Resource) -> None:
    """A type whose writes have no further effect."""
    del surface, resource


async def nothing_to_tell(surface: Surface, resource: Resource) -> dict[str, Any]:
    """A type whose writes make no secret."""
    del surface, resource
    return {}


def none_built_in(parent: str) -> tuple[Resource, ...]:
    """A type of which all resources are made by someone."""
    del parent
    return ()


def nothing_derived(surface: Surface, parent: str) -> Sequence[Resource]:
    """A type of which no resource follows from others."""
    del surface, parent
    return ()


def no_job(new: Resource, old: Resource | None) -> Job | None:
    """A type whose writes are carried out by being written."""
    del new, old


async def nothing_beside(
    surface: Surface, new: Resource, old: Resource | None
) -> tuple[list[Change], list[Job]]:
    """A type whose writes concern nothing else."""
    del surface, new, old
    return [], []


def all_listed(query: dict[str, str]) -> Callable[[Resource], bool]:
    """A type whose lists are not narrowed."""
    del query
    return lambda resource: True  # noqa: ARG005 - each one is wanted


async def free_to_go(surface: Surface, resource: Resource) -> list[Problem]:
    """A type whose resources may always be deleted."""
    del surface, resource
    return []


def as_asked(target: Target, realm: Realm) -> Target:
    """A type whose resources lie where they are asked for."""
    del realm
    return target


async def no_attributes(request: ArmRequest, target: Target, surface: Surface) -> Attributes | None:
    """A type that conditions ask nothing about."""
    del request, target, surface
    return {}


def nothing_linked(new: Resource | None, old: Resource | None) -> Sequence[tuple[str, str]]:
    """A type whose writes and deletions take no permission elsewhere."""
    del new, old
    return ()


class ResourceType(msgspec.Struct, frozen=True, kw_only=True):
    """A resource type. What is left out behaves like most types do.

    `gather` reads what admission must know; `complete` and `admit` are pure functions over it:
    `(new, old, facts)`. `complete` fills in defaults and what the server decides, `admit` returns
    every problem.
    """

    type: str
    """`Microsoft.CognitiveServices/accounts/deployments`"""
    template: str
    """the item's path; names in braces"""
    versions: Sequence[str]
    granted_as: str = ""
    """the words of its permissions, where they are not those of its type"""
    collections: tuple[str, ...] = ()
    """paths that list it, beyond the item's path without its name"""
    verbs: frozenset[str] = frozenset(("GET", "LIST", "PUT", "PATCH", "DELETE"))
    tracked: bool = False
    """lies in a location and has tags of its own right"""
    created: int = 201
    """the status of a PUT that made one, as the operation's specification has it"""
    replaced: int = 200
    """the status of a PUT over one that was there"""
    deleted: int = 200
    """the status of a DELETE that removed something, as the operation's specification has it"""
    tells_deleted: bool = False
    """a DELETE answers with what was there"""
    plain: bool = False
    """shows neither etag nor systemData"""
    name_pattern: str = ".+"
    sent_properties: Shape | None = None
    """the properties whose types are checked; others are kept unseen"""
    built_in: Callable[[str], tuple[Resource, ...]] = none_built_in
    """what is there under a parent (its id) without being made; a write makes it a stored one"""
    derived: Callable[[Surface, str], Sequence[Resource]] = nothing_derived
    """what is there under a parent (its id) because of other resources, without being stored; one
    that is stored stands in front of it"""
    partial: str = ""
    """what of it has no effect yet, for the coverage table; empty when all of it acts"""
    read_only: frozenset[str] = frozenset()
    """properties that clients may send but that only the server sets"""
    hidden: frozenset[str] = frozenset()
    """properties that the server keeps to itself"""
    write_only: frozenset[str] = frozenset()
    """properties that ask for something once: admission sees them, nothing keeps them"""
    secret: bool = False
    """secrets may stand in what is sent: the activity log keeps nothing of it"""
    here_only: bool = False
    """a list has those of its own scope alone, not those below it"""
    etag_word: str = "etag"
    """what the etag is called in bodies; under any other name than this it is a condition when it
    is sent"""
    wanted: Callable[[dict[str, str]], Callable[[Resource], bool]] = all_listed
    """which ones a list has, by its query"""
    place: Callable[[Target, Realm], Target] = as_asked
    """where it lies, if one resource is found at several paths"""
    attributes: Callable[[ArmRequest, Target, Surface], Awaitable[Attributes | None]] = (
        no_attributes
    )
    """what conditions may ask of a request; None: nothing can be told before there is a body"""
    linked: Callable[[Resource | None, Resource | None], Sequence[tuple[str, str]]] = nothing_linked
    """what else the writer (new, old), or deleter (None, old), must be allowed: actions and
    their scopes"""
    read: Callable[[dict[str, Any], str], dict[str, Any]] = read_as_sent
    """properties that were sent in an api-version, in the newest one's shape"""
    gather: Callable[[Surface, Target], Awaitable[Any]] = no_facts
    complete: Callable[[Resource, Resource | None, Any], Resource] = complete_as_sent
    admit: Callable[[Resource, Resource | None, Any], list[Problem]] = admit_all
    show: Callable[[Resource, Showing], dict[str, Any]] = show_stored
    job: Callable[[Resource, Resource | None], Job | None] = no_job
    """the work that carries a write (new, old) out, committed with it"""
    beside: Callable[
        [Surface, Resource, Resource | None], Awaitable[tuple[list[Change], list[Job]]]
    ] = nothing_beside
    """what else is committed with a write (new, old)"""
    written: Callable[[Surface, Resource], Awaitable[None]] = nothing_more
    """what follows a write"""
    tell: Callable[[Surface, Resource], Awaitable[dict[str, Any]]] = nothing_to_tell
    """properties that the answer to a PUT tells and nothing keeps: a secret that it has made"""
    keep: Callable[[Surface, Resource], Awaitable[list[Problem]]] = free_to_go
    """why it may not be deleted"""
    remove: Callable[[Surface, Resource], Awaitable[None]] = removed

    @property
    def grants(self) -> str:
        """What its permissions begin with."""
        return self.granted_as or self.type

    @property
    def name_word(self) -> str:
        """The template's last name, without braces."""
        return self.template.rpartition("{")[2].rstrip("}")


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A path that is no stored resource: a POST action, or a GET that is computed."""

    method: str
    template: str
    versions: Sequence[str]
    type: str
    """the resource type it belongs to: api-versions are told of this"""
    permission: str
    """what a role must grant"""
    act: Callable[[ArmRequest, Target, Surface], Awaitable[Answer]]
    public: bool = False
    """answers without a credential"""
    entry: Entry = "permission"
    lists: bool = False
    """shows only what its caller may read: whoever may read anything below may call it"""
    partial: str = ""
    """as `ResourceType.partial`"""
    reads: bool = False
    """a POST that changes nothing: it leaves no trace in activity and audit log"""
    is_data: bool = False
    """`permission` is a data action: no key is enough, there must be a role that grants it"""
    audience: str = ""
    """another service of Azure has it, at a host of its own: tokens for that are taken, too"""


def reading(
    template: str,
    versions: Sequence[str],
    kind: str,
    act: Callable[[ArmRequest, Target, Surface], Awaitable[Answer]],
    *,
    entry: Entry = "permission",
    lists: bool = False,
) -> Action:
    """A GET that takes the right to read what it is of the type of."""
    return Action(
        method="GET",
        template=template,
        versions=versions,
        type=kind,
        permission=f"{kind}/read",
        act=act,
        entry=entry,
        lists=lists,
    )


async def found(surface: Surface, row: ResourceType, resource_id: str) -> Resource | None:
    """The stored resource, else the built-in or derived one, else None."""
    stored = await surface.resources.get(resource_id)
    if stored is not None:
        return stored
    wanted, parent = resource_id.lower(), parent_id(resource_id)
    there = (*row.built_in(parent), *row.derived(surface, parent))
    return next((each for each in there if each.id.lower() == wanted), None)
