"""Policies in memory, kept up with every commit. Decides nothing: `decisions` does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from linarite.controls.policy.binding import bind
from linarite.controls.policy.built_in import BUILT_IN, BUILT_IN_SETS
from linarite.controls.policy.decisions import Policies
from linarite.controls.policy.definitions import (
    ASSIGNMENT_TYPE,
    DEFINITION_TYPE,
    EXEMPTION_TYPE,
    SET_TYPE,
    Assignment,
    Definition,
    Exemption,
    SetDefinition,
    read_assignment,
    read_definition,
    read_exemption,
    read_set,
)
from linarite.domain.errors import LinariteError
from linarite.domain.scopes import holds, scope_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from linarite.controls.policy.expressions import Expressions
    from linarite.domain.resource import Committed, Resource, ResourceStore

    Entry = Definition | SetDefinition | Assignment | Exemption

log = structlog.get_logger(__name__)

KINDS = (DEFINITION_TYPE, SET_TYPE, ASSIGNMENT_TYPE, EXEMPTION_TYPE)
MARK = "/providers/microsoft.authorization/policy"
"""in the id of everything that is kept here"""


class PoliciesUnknown(LinariteError):
    """A change of policies could not be read: until it can, nothing is written."""

    status = 503
    code = "PoliciesUnknown"


class PolicyBook:
    """What is assigned, by the resources of a store. Empty until `refresh`."""

    def __init__(self, resources: ResourceStore, expressions: Expressions) -> None:
        self.expressions = expressions
        self._resources = resources
        self._by_id: dict[str, Entry] = {}
        self._built_in: dict[str, Entry] = {}
        for resource in (*BUILT_IN, *BUILT_IN_SETS):
            self._read_into(self._built_in, resource)
        self._policies = Policies()
        self._definitions: dict[str, Definition] = {}
        self._sets: dict[str, SetDefinition] = {}
        self._behind = True
        """a change could not be followed: nothing is decided until all has been read anew"""
        self._turn = asyncio.Lock()

    @property
    def policies(self) -> Policies:
        """All that is assigned. Raises PoliciesUnknown."""
        if self._behind:
            raise PoliciesUnknown(
                "The server could not read its policies; its log says why. Nothing is written "
                "until it can."
            )
        return self._policies

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """Every definition by its id, as `scope_key` makes it."""
        return self._definitions

    @property
    def sets(self) -> Mapping[str, SetDefinition]:
        """Every initiative by its id, as `scope_key` makes it."""
        return self._sets

    @property
    def assignments(self) -> frozenset[str]:
        """The ids of all assignments, as `scope_key` makes them."""
        return frozenset(k for k, each in self._by_id.items() if isinstance(each, Assignment))

    def users_of(self, definition_id: str) -> list[str]:
        """The ids of the assignments and initiatives that use a definition or initiative."""
        wanted = scope_key(definition_id)
        return sorted(
            each.resource.id
            for each in self._by_id.values()
            if wanted in map(scope_key, _used_by(each))
        )

    async def refresh(self) -> None:
        """Read everything anew."""
        async with self._turn:
            await self._whole(self._all)

    async def follow(self, committed: Committed) -> None:
        """Keep up with a change before its writer goes on."""
        written = [each for each in committed.written if MARK in each.lower()]
        removed = [scope_key(each) for each in committed.removed]
        async with self._turn:
            if self._behind:
                await self._whole(self._all)
            elif written or any(holds(gone, key) for gone in removed for key in self._by_id):
                await self._whole(lambda: self._changed(written, removed))

    async def _whole(self, reading: Callable[[], Awaitable[dict[str, Entry]]]) -> None:
        """Take in what is read in one step; until then what was there before holds."""
        try:
            read = await reading()
        except BaseException:
            self._behind = True
            raise
        self._take(read)

    async def _all(self) -> dict[str, Entry]:
        read: dict[str, Entry] = {}
        for kind in KINDS:
            for resource in await self._resources.list_under("", kind):
                self._read_into(read, resource)
        return read

    async def _changed(self, written: list[str], removed: list[str]) -> dict[str, Entry]:
        read = {
            key: entry
            for key, entry in self._by_id.items()
            if not any(holds(gone, key) for gone in removed)
        }
        for each in written:
            read.pop(scope_key(each), None)
            resource = await self._resources.get(each)
            if resource is not None:
                self._read_into(read, resource)
        return read

    def _read_into(self, read: dict[str, Entry], resource: Resource) -> None:
        kind = resource.type.lower()
        key = scope_key(resource.id)
        problems = []
        if kind == DEFINITION_TYPE.lower():
            read[key], problems = read_definition(resource, self.expressions)
        elif kind == SET_TYPE.lower():
            read[key], problems = read_set(resource)
        elif kind == ASSIGNMENT_TYPE.lower():
            read[key], problems = read_assignment(resource)
        elif kind == EXEMPTION_TYPE.lower():
            read[key] = read_exemption(resource)
        if problems:
            log.error("a stored policy can't be read", policy=resource.id, why=problems[0].message)

    def _take(self, read: dict[str, Entry]) -> None:
        every = {**self._built_in, **read}
        self._definitions = {k: each for k, each in every.items() if isinstance(each, Definition)}
        self._sets = {k: each for k, each in every.items() if isinstance(each, SetDefinition)}
        self._by_id = read
        self._policies = Policies(
            bound=tuple(
                bound
                for each in read.values()
                if isinstance(each, Assignment)
                for bound in bind(each, self._definitions, self._sets, self.expressions)
            ),
            exemptions=tuple(each for each in read.values() if isinstance(each, Exemption)),
        )
        self._behind = False


def _used_by(entry: Entry) -> list[str]:
    if isinstance(entry, Assignment):
        return [entry.definition_id]
    if isinstance(entry, SetDefinition):
        return [member.definition_id for member in entry.members]
    return []
