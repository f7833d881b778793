"""How a resource that is there stands to the policies over it.

Source: "Azure Policy compliance states".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controls.policy.binding import Bound
from linarite.controls.policy.decisions import Court, Finding, Policies, Subject, effect_of
from linarite.controls.policy.definitions import Exemption
from linarite.controls.policy.effects import DefaultState, Existence
from linarite.controls.policy.evaluation import Compared, Evaluation, EvaluationFailed
from linarite.controls.policy.tree import AllOf, AnyOf, Condition, Not, OfField
from linarite.domain.scopes import holds, scope_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from linarite.controls.policy.evaluation import World
    from linarite.controls.policy.expressions import Expressions
    from linarite.controls.policy.tree import Node

COMPLIANT = "Compliant"
NON_COMPLIANT = "NonCompliant"
EXEMPT = "Exempt"
PROTECTED = "Protected"
ERROR = "Error"
IDENTIFYING = frozenset(("type", "name", "kind"))
"""fields that decide whether a rule looks at a resource at all"""
RESOURCES_WIDTH = 5
"""segments of a resource group's path, with the empty one before the first slash"""


class Case(msgspec.Struct, frozen=True):
    """A policy, a resource, and what the rule says of it."""

    bound: Bound
    subject: Subject
    effect: str
    finding: Finding | None


class Standing(msgspec.Struct, frozen=True):
    """A resource's state under one policy."""

    bound: Bound
    subject: Subject
    effect: str
    state: str
    compared: tuple[Compared, ...] = ()
    exemption: Exemption | None = None


class Survey:
    """Looks at resources that are there; `others` are all of them."""

    def __init__(
        self,
        policies: Policies,
        expressions: Expressions,
        others: Sequence[Subject],
    ) -> None:
        self._policies = policies
        self._expressions = expressions
        self._others = others
        self._court = Court(policies, expressions)

    def standings(self, subject: Subject, world: World) -> Iterator[Standing]:
        """Its state under every policy that looks at it."""
        for bound in self._policies.over(subject):
            effect = effect_of(bound, subject, world, self._expressions)
            content = subject.seen_in(bound.definition.mode)
            if effect == "disabled" or content is None:
                continue
            if not applies(bound.definition.condition, self._asking(bound, content, world).holds):
                continue
            finding = self._court.found(bound, subject, world)
            state = self._state(Case(bound, subject, effect, finding), world)
            if state is None:
                continue
            exemption = self._policies.exemption(bound, subject, world.now)
            yield Standing(
                bound,
                subject,
                effect,
                state if exemption is None else EXEMPT,
                finding.compared if finding else (),
                exemption,
            )

    def _asking(self, bound: Bound, content: dict[str, Any], world: World) -> Evaluation:
        return Evaluation(self._expressions, content, world, bound.parameters, bound.policy)

    def _state(self, case: Case, world: World) -> str | None:
        """The state; None where the rule turns out not to look at the resource."""
        if case.finding is not None and case.finding.failed:
            return ERROR
        if case.effect not in {"auditIfNotExists", "manual", "denyAction"}:
            return COMPLIANT if case.finding is None else NON_COMPLIANT
        details = case.bound.definition.then.details
        state: str | None = None
        if case.finding is not None and case.effect == "denyAction":
            state = PROTECTED
        elif case.finding is not None and isinstance(details, DefaultState):
            state = details.state
        elif case.finding is not None and isinstance(details, Existence):
            state = COMPLIANT if self._exists(details, case, world) else NON_COMPLIANT
        return state

    def _exists(self, details: Existence, case: Case, world: World) -> bool:
        """Whether there is the resource that `auditIfNotExists` looks for."""
        asking = self._asking(case.bound, case.subject.content, world)
        try:
            wanted = str(asking.resolved(details.type)).lower()
            name = str(asking.resolved(details.name)).lower()
        except EvaluationFailed:
            return False
        inside = _search_root(case.subject, wanted, details.scope)
        return any(
            other.type.lower() == wanted
            and holds(inside, scope_key(other.id))
            and (not name or name in _names(other))
            and self._as_wanted(details.condition, other, case, world)
            for other in self._others
        )

    def _as_wanted(self, condition: Node | None, other: Subject, case: Case, world: World) -> bool:
        if condition is None:
            return True
        try:
            return self._asking(case.bound, other.content, world).holds(condition)
        except EvaluationFailed:
            return False


def _search_root(subject: Subject, wanted: str, scope: str) -> str:
    """Below the resource for its own kind and its children, else in its group or subscription."""
    own = subject.type.lower()
    key = scope_key(subject.id)
    if wanted == own or wanted.startswith(f"{own}/"):
        return key
    width = RESOURCES_WIDTH if scope == "resourcegroup" else 3
    return "/".join(key.split("/")[:width])


def _names(subject: Subject) -> set[str]:
    return {str(subject.content.get(key) or "").lower() for key in ("name", "fullName")}


def applies(node: Node, ask: Callable[[Node], bool]) -> bool:
    """Whether a rule looks at a resource: what it says of type, name and kind leaves it open."""
    return _open(node, ask) is not False


def _open(node: Node, ask: Callable[[Node], bool]) -> bool | None:
    """What type, name and kind make of a rule; None where they do not decide it."""
    if isinstance(node, AllOf):
        found = [_open(member, ask) for member in node.members]
        return False if False in found else None if None in found else True
    if isinstance(node, AnyOf):
        found = [_open(member, ask) for member in node.members]
        return True if True in found else None if None in found else False
    if isinstance(node, Not):
        inner = _open(node.member, ask)
        return None if inner is None else not inner
    return _leaf(node, ask)


def _leaf(node: Condition, ask: Callable[[Node], bool]) -> bool | None:
    if not isinstance(node.subject, OfField) or node.subject.name.lower() not in IDENTIFYING:
        return None
    try:
        return ask(node)
    except EvaluationFailed:
        return None
