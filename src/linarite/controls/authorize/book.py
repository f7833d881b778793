"""Access, answered from memory: the rules, kept up with every commit, and decisions made before."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import structlog

from linarite.controls.authorize.conditions.reading import ConditionUnfit
from linarite.controls.authorize.decisions import (
    Question,
    decided,
    granted_to_somebody,
    has_part_in,
    locks_on,
    permissions_at,
    reaches_into,
)
from linarite.controls.authorize.definitions import (
    built_in,
    deny_assignment_of,
    lock_of,
    role_assignment_of,
    role_of,
)
from linarite.controls.authorize.rules import (
    DenyAssignment,
    Lock,
    Role,
    RoleAssignment,
    Rules,
)
from linarite.domain.access import ALLOWED_BY_KEY, Decision
from linarite.domain.roles import (
    DENY_ASSIGNMENT_TYPE,
    LOCK_TYPE,
    ROLE_ASSIGNMENT_TYPE,
    ROLE_DEFINITION_TYPE,
)
from linarite.domain.scopes import AUTHORIZATION, holds, scope_key, scope_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from linarite.controls.authorize.rules import Permission
    from linarite.domain.principal import Principal
    from linarite.domain.resource import Committed, Resource, ResourceStore

    Rule = Role | RoleAssignment | DenyAssignment | Lock

log = structlog.get_logger(__name__)

REMEMBERED_MAX = 50_000
"""decisions; then all are forgotten"""
READERS: dict[str, Callable[[Resource], Rule]] = {
    ROLE_DEFINITION_TYPE.lower(): role_of,
    ROLE_ASSIGNMENT_TYPE.lower(): role_assignment_of,
    DENY_ASSIGNMENT_TYPE.lower(): deny_assignment_of,
    LOCK_TYPE.lower(): lock_of,
}
NOT_KNOWN = Decision(
    allowed=False,
    rule="rules unknown",
    reason="The server could not read its role assignments; its log says why.",
)
EVERYTHING: dict[str, object] = {
    "actions": ["*"],
    "notActions": [],
    "dataActions": ["*"],
    "notDataActions": [],
}


class AccessBook:
    """`Access` over the resources of a store. Empty until `refresh`."""

    def __init__(self, resources: ResourceStore, now: Callable[[], datetime]) -> None:
        """`now` is what conditions call `@Environment[utcNow]`."""
        self._resources = resources
        self._now = now
        self._built_in = built_in()
        self._by_id: dict[str, Rule] = {}
        self._rules = Rules(roles=self._built_in)
        self._remembered: dict[tuple[Any, ...], Decision] = {}
        self._behind = True
        """a change could not be followed: nobody is let in until all has been read anew"""
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Read every rule anew."""
        async with self._turn:
            await self._whole(self._all)

    async def follow(self, committed: Committed) -> None:
        """Keep up with a change before its writer goes on.

        What can't be read makes every later decision a refusal, until all could be read anew.
        """
        written = [each for each in committed.written if AUTHORIZATION in each.lower()]
        removed = [scope_key(each) for each in committed.removed]
        async with self._turn:
            if self._behind:
                await self._whole(self._all)
            elif written or any(self._lost(each) for each in removed):
                await self._whole(lambda: self._changed(written, removed))

    async def _whole(self, reading: Callable[[], Awaitable[dict[str, Rule]]]) -> None:
        """Take in what is read in one step; until then the rules before it hold."""
        try:
            read = await reading()
        except BaseException:
            self._behind, self._remembered = True, {}
            raise
        self._take(read)

    async def _all(self) -> dict[str, Rule]:
        read: dict[str, Rule] = {}
        for kind in READERS:
            for resource in await self._resources.list_under("", kind):
                _read_into(read, resource)
        return read

    async def _changed(self, written: list[str], removed: list[str]) -> dict[str, Rule]:
        read = {
            key: rule
            for key, rule in self._by_id.items()
            if not any(holds(gone, key) for gone in removed)
        }
        for each in written:
            read.pop(scope_key(each), None)
            resource = await self._resources.get(each)
            if resource is not None and resource.type.lower() in READERS:
                _read_into(read, resource)
        return read

    def decide(
        self,
        principal: Principal,
        action: str,
        scope: str,
        *,
        is_data: bool = False,
        attributes: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Decision:
        """As `Access.decide`."""
        if principal.opens_all:
            return ALLOWED_BY_KEY
        terms = principal.terms
        roles = principal.groups if terms is None else (principal.resource_id, terms.role)
        key = (principal.object_id, action, scope, is_data, roles)
        remembered = self._remembered.get(key)
        if remembered is not None:
            return remembered
        if self._behind:
            return NOT_KNOWN
        verdict = decided(
            self._rules, self._question(principal, action, scope, is_data, attributes)
        )
        if verdict.lasting:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered = {}
            self._remembered[key] = verdict.decision
        return verdict.decision

    def reaches_into(
        self, principal: Principal, action: str, scope: str, *, is_data: bool = False
    ) -> bool:
        """As `Access.reaches_into`."""
        if principal.opens_all:
            return True
        return not self._behind and reaches_into(
            self._rules, self._question(principal, action, scope, is_data, None)
        )

    def has_part_in(self, principal: Principal, scope: str) -> bool:
        """As `Access.has_part_in`."""
        if principal.opens_all:
            return True
        return not self._behind and has_part_in(
            self._rules, _identities(principal), scope_key(scope)
        )

    def permissions_at(self, principal: Principal, scope: str) -> Sequence[Mapping[str, object]]:
        """As `Access.permissions_at`."""
        if principal.opens_all:
            return [EVERYTHING]
        if self._behind:
            return []
        found = permissions_at(self._rules, _identities(principal), scope_key(scope))
        return [_shown(each) for each in found]

    def somebody_may(self, action: str, scope: str) -> bool:
        """Whether anybody has a role that grants it there, without any condition."""
        return not self._behind and granted_to_somebody(
            self._rules, action.lower(), scope_key(scope)
        )

    def locked(self, scope: str, *, deleting: bool) -> Sequence[str]:
        """As `Access.locked`."""
        found = locks_on(self._rules, scope_key(scope), deleting=deleting)
        return sorted({scope_of(lock.id) or "/" for lock in found})

    def _question(
        self,
        principal: Principal,
        action: str,
        scope: str,
        is_data: bool,  # noqa: FBT001 - private, and named where it counts
        attributes: Mapping[str, tuple[str, ...]] | None,
    ) -> Question:
        moment = {"@environment[utcnow]": (self._now().isoformat(),)}
        return Question(
            identities=_identities(principal),
            action=action.lower(),
            scope=scope_key(scope),
            is_data=is_data,
            attributes=moment if attributes is None else moment | dict(attributes),
            beside=_of_key(principal),
        )

    def _lost(self, removed: str) -> bool:
        return any(holds(removed, key) for key in self._by_id)

    def _take(self, read: dict[str, Rule]) -> None:
        assignments: dict[str, list[RoleAssignment]] = defaultdict(list)
        roles = dict(self._built_in)
        for rule in read.values():
            if isinstance(rule, RoleAssignment):
                assignments[rule.principal].append(rule)
            elif isinstance(rule, Role):
                roles[rule.id] = rule
        self._by_id = read
        self._rules = Rules(
            roles=roles,
            assignments={key: tuple(found) for key, found in assignments.items()},
            denials=tuple(each for each in read.values() if isinstance(each, DenyAssignment)),
            locks=tuple(each for each in read.values() if isinstance(each, Lock)),
        )
        self._remembered = {}
        self._behind = False


def _read_into(read: dict[str, Rule], resource: Resource) -> None:
    """Take a rule in. A role that can't be read grants nothing and stops no other.

    Raises when it is something that forbids: without it more would be allowed than should be.
    """
    try:
        read[scope_key(resource.id)] = READERS[resource.type.lower()](resource)
    except (ConditionUnfit, KeyError, TypeError, AttributeError) as problem:
        if resource.type in (DENY_ASSIGNMENT_TYPE, LOCK_TYPE):
            raise
        log.exception("a rule of access can't be read", resource=resource.id, why=str(problem))


def _of_key(principal: Principal) -> tuple[RoleAssignment, ...]:
    """The role that an application's key has by itself."""
    terms = principal.terms
    if terms is None:
        return ()
    scope = scope_key(terms.scope)
    return (RoleAssignment(principal.resource_id, terms.role, principal.resource_id, scope),)


def _identities(principal: Principal) -> frozenset[str]:
    return principal.groups | {principal.object_id}


def _shown(permission: Permission) -> dict[str, object]:
    shown: dict[str, object] = {
        "actions": list(permission.actions.words),
        "notActions": list(permission.not_actions.words),
        "dataActions": list(permission.data_actions.words),
        "notDataActions": list(permission.not_data_actions.words),
    }
    if permission.condition is not None:
        shown |= {"condition": permission.condition.text, "conditionVersion": "2.0"}
    return shown
