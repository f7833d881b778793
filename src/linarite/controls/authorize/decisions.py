"""The evaluator: may somebody do something. Pure functions over rules.

Source: learn.microsoft.com, "How Azure RBAC determines if a user has access to a resource". Deny
assignments come first; then one role assignment that grants is enough, whatever others do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from linarite.controls.authorize.conditions.evaluation import holds as condition_holds
from linarite.controls.authorize.rules import EVERYONE, RoleAssignment
from linarite.domain.access import NO_ASSIGNMENT, Decision
from linarite.domain.scopes import holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controls.authorize.conditions.tree import Condition
    from linarite.controls.authorize.rules import (
        DenyAssignment,
        Lock,
        Permission,
        Rules,
    )

ROLES_NAMED_MAX = 4
"""how many roles a refusal names that would help"""


class Question(msgspec.Struct, frozen=True):
    """May one of these identities do this there?"""

    identities: frozenset[str]
    """object ids of the principal and of its groups"""
    action: str
    """in lower case"""
    scope: str
    """as `scope_key` makes it"""
    is_data: bool = False
    attributes: Mapping[str, tuple[str, ...]] = {}
    """what conditions may ask of the request, the resource and the moment: `@request[…]`"""
    beside: tuple[RoleAssignment, ...] = ()
    """roles that nobody has assigned: those of an application's key"""


class Verdict(msgspec.Struct, frozen=True):
    """A decision, and whether it stands until a rule changes."""

    decision: Decision
    lasting: bool
    """no attribute has played a part in it"""


class _Weighing:
    """Conditions as they are met on the way to one decision."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self.lasting = True

    def holds(self, *conditions: Condition | None) -> bool | None:
        """Whether all of them hold; None when that can't be told."""
        outcome: bool | None = True
        for condition in conditions:
            here = True if condition is None else self._one(condition)
            if here is False:
                return False
            outcome = outcome and here
        return outcome

    def _one(self, condition: Condition) -> bool | None:
        question = self._question
        settled = condition_holds(condition.expression, question.action, None)
        if settled is not None:
            return settled
        self.lasting = False
        return condition_holds(condition.expression, question.action, question.attributes)


def decided(rules: Rules, question: Question) -> Verdict:
    """Whether it may be done, and why."""
    weighing = _Weighing(question)
    denial = _denial(rules, question, weighing)
    if denial is not None:
        why = f"The deny assignment '{denial.name}' at '{denial.scope or '/'}' forbids it."
        decision = Decision(allowed=False, rule=denial.id, reason=why)
        return Verdict(decision, weighing.lasting)
    for assignment, name, permission in _granting(rules, question):
        if not holds(assignment.scope, question.scope):
            continue
        if weighing.holds(permission.condition, assignment.condition) is True:
            why = f"The role '{name}' at '{assignment.scope or '/'}' grants it."
            decision = Decision(allowed=True, rule=assignment.id, reason=why)
            return Verdict(decision, weighing.lasting)
    decision = Decision(allowed=False, rule=NO_ASSIGNMENT, reason=_way_out(rules, question))
    return Verdict(decision, weighing.lasting)


def reaches_into(rules: Rules, question: Question) -> bool:
    """Whether it may be done at the scope or somewhere below it."""
    if decided(rules, question).decision.allowed:
        return True
    below = {
        assignment.scope
        for assignment, _, _ in _granting(rules, question)
        if holds(question.scope, assignment.scope)
    }
    return any(
        decided(rules, msgspec.structs.replace(question, scope=scope)).decision.allowed
        for scope in below
    )


def has_part_in(rules: Rules, identities: frozenset[str], scope: str) -> bool:
    """Whether one of them has a role at the scope, around it or below it."""
    return any(
        holds(each.scope, scope) or holds(scope, each.scope)
        for identity in identities
        for each in rules.assignments.get(identity, ())
    )


def granted_to_somebody(rules: Rules, action: str, scope: str) -> bool:
    """Whether a role assignment grants it at the scope without any condition, to whomever."""
    return any(
        permission.condition is None and permission.covers(action, is_data=False)
        for assignments in rules.assignments.values()
        for each in assignments
        if each.condition is None and holds(each.scope, scope) and each.role in rules.roles
        for permission in rules.roles[each.role].permissions
    )


def permissions_at(rules: Rules, identities: frozenset[str], scope: str) -> list[Permission]:
    """What their roles grant at a scope, condition or not; deny assignments are not counted."""
    return [
        permission
        for identity in sorted(identities)
        for assignment in rules.assignments.get(identity, ())
        if holds(assignment.scope, scope) and assignment.role in rules.roles
        for permission in rules.roles[assignment.role].permissions
    ]


def locks_on(rules: Rules, scope: str, *, deleting: bool) -> list[Lock]:
    """The locks that forbid deleting what is at a scope, or changing it.

    Deleting takes along what lies below; changing does not.
    """
    return [
        lock
        for lock in rules.locks
        if (holds(lock.scope, scope) and (deleting or lock.read_only))
        or (deleting and holds(scope, lock.scope))
    ]


def _denial(rules: Rules, question: Question, weighing: _Weighing) -> DenyAssignment | None:
    for denial in rules.denials:
        if (
            _concerns(denial, question)
            # What can't be told forbids: a condition must not open what it was to close.
            and any(
                weighing.holds(permission.condition, denial.condition) is not False
                for permission in denial.permissions
                if permission.covers(question.action, is_data=question.is_data)
            )
        ):
            return denial
    return None


def _concerns(denial: DenyAssignment, question: Question) -> bool:
    here = (
        denial.scope == question.scope if denial.here_only else holds(denial.scope, question.scope)
    )
    if not here or not denial.excluded.isdisjoint(question.identities):
        return False
    return EVERYONE in denial.principals or not denial.principals.isdisjoint(question.identities)


def _granting(rules: Rules, question: Question) -> Iterator[tuple[RoleAssignment, str, Permission]]:
    """What grants the action to the identities, at whatever scope, under whatever condition."""
    assigned = (rules.assignments.get(identity, ()) for identity in question.identities)
    for assignment in chain(question.beside, *assigned):
        role = rules.roles.get(assignment.role)
        if role is None:
            continue
        for permission in role.permissions:
            if permission.covers(question.action, is_data=question.is_data):
                yield assignment, role.name, permission


def _way_out(rules: Rules, question: Question) -> str:
    helping = [
        role.name
        for role in rules.roles.values()
        if role.built_in and role.covers(question.action, is_data=question.is_data)
    ]
    named = ", ".join(f"'{name}'" for name in helping[:ROLES_NAMED_MAX])
    return f"Roles that grant it: {named}." if named else "No built-in role grants it."
