"""Evaluates a rule over one resource, and keeps what was compared on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controls.policy.comparing import ComparisonUnfit, holds
from linarite.controls.policy.expressions import ExpressionUnfit
from linarite.controls.policy.fields import find_field, is_collection, path_key, select, selected
from linarite.controls.policy.tree import (
    AllOf,
    AnyOf,
    Condition,
    CountOfField,
    CountOfValue,
    Not,
    OfField,
    OfValue,
)

if TYPE_CHECKING:
    from linarite.controls.policy.expressions import Expressions
    from linarite.controls.policy.fields import Field, Members
    from linarite.controls.policy.tree import Node

STEPS_MAX = 20_000
"""conditions and values that a rule may come to over one resource"""
TOLD_MAX = 50
TOLD_CHARACTERS_MAX = 500


class EvaluationFailed(Exception):
    """The rule has no answer for this resource; Azure takes that for a refusal."""


class World(msgspec.Struct, frozen=True):
    """What rules may ask beside the resource."""

    subscription: Mapping[str, Any]
    resource_group: Mapping[str, Any] | None
    """None for what lies in none"""
    request: Mapping[str, Any]
    """what `requestContext()` answers"""
    now: str
    """ISO 8601"""


class Compared(msgspec.Struct, frozen=True):
    """A condition that was come to."""

    result: bool
    kind: str
    """Field, Value or Count"""
    expression: str
    path: str
    value: Any
    target: Any
    operator: str


class Evaluation:
    """One rule over one resource; it is the expressions' `Asking`."""

    def __init__(
        self,
        expressions: Expressions,
        content: Mapping[str, Any],
        world: World,
        parameters: Mapping[str, Any],
        policy: Mapping[str, Any] | None = None,
    ) -> None:
        """`parameters` by lower-cased name; `policy` is what `policy()` answers."""
        self.compared: list[Compared] = []
        self._expressions = expressions
        self._content = content
        self._world = world
        self._parameters = parameters
        self._policy = policy or {}
        self._members: Members = {}
        self._currents: tuple[tuple[str, Any], ...] = ()
        self._steps = 0

    def holds(self, node: Node) -> bool:
        """Whether it is so. Raises EvaluationFailed."""
        try:
            return self._holds(node)
        except (ExpressionUnfit, ComparisonUnfit) as reason:
            raise EvaluationFailed(str(reason)) from None

    def resolved(self, source: Any) -> Any:  # noqa: ANN401 - JSON
        """A value with every expression in it evaluated. Raises EvaluationFailed."""
        try:
            return self._value(source)
        except ExpressionUnfit as reason:
            raise EvaluationFailed(str(reason)) from None

    def _holds(self, node: Node) -> bool:
        self._spend()
        if isinstance(node, AllOf):
            return all(self._holds(member) for member in node.members)
        if isinstance(node, AnyOf):
            return any(self._holds(member) for member in node.members)
        if isinstance(node, Not):
            return not self._holds(node.member)
        return self._condition(node)

    def _condition(self, node: Condition) -> bool:
        target = self._value(node.target)
        subject = node.subject
        if isinstance(subject, OfField):
            return self._of_field(subject, node.operator, target)
        if isinstance(subject, OfValue):
            value = self._value(subject.source)
            told = subject.source if isinstance(subject.source, str) else ""
            return self._tell(node.operator, value, target, ("Value", told, ""))
        count = self._count(subject)
        told = subject.field if isinstance(subject, CountOfField) else subject.name
        return self._tell(node.operator, count, target, ("Count", told, ""))

    def _of_field(self, subject: OfField, operator: str, target: Any) -> bool:  # noqa: ANN401 - JSON
        field = self._field(subject.name)
        values = select(self._content, field, self._members)
        told = ("Field", field.name, ".".join(field.path).replace(".[*]", "[*]"))
        if not is_collection(field, self._members):
            return self._tell(operator, values[0], target, told)
        if operator == "exists":
            present = values if any(each is not None for each in values) else None
            return self._tell(operator, present, target, told)
        # Every member must be as the condition says; of none, nothing can be wrong.
        return all(self._tell(operator, value, target, told) for value in values)

    def _count(self, subject: CountOfField | CountOfValue) -> int:
        if isinstance(subject, CountOfField):
            field = self._field(subject.field)
            key = path_key(field.path)
            found = selected(self._content, field, self._members)
            return sum(
                subject.where is None
                or self._within(subject.where, {**members, key: value}, field.name, value)
                for value, members in found
            )
        values = self._value(subject.source)
        if not isinstance(values, list):
            raise ExpressionUnfit("the 'value' of a count must be an array")
        return sum(
            subject.where is None or self._within(subject.where, self._members, subject.name, value)
            for value in cast("list[Any]", values)
        )

    def _within(self, where: Node, members: Members, name: str, current: Any) -> bool:  # noqa: ANN401 - any JSON
        """Whether a condition holds for one member of what is counted."""
        outer = self._members, self._currents
        self._members, self._currents = members, (*self._currents, (name.lower(), current))
        try:
            return self._holds(where)
        finally:
            self._members, self._currents = outer

    def _tell(
        self,
        operator: str,
        value: Any,  # noqa: ANN401 - JSON
        target: Any,  # noqa: ANN401 - JSON
        told: tuple[str, str, str],
    ) -> bool:
        self._spend()
        result = holds(operator, value, target)
        if len(self.compared) < TOLD_MAX:
            kind, expression, path = told
            self.compared.append(
                Compared(result, kind, expression, path, _short(value), _short(target), operator)
            )
        return result

    def _value(self, source: Any) -> Any:  # noqa: ANN401 - JSON
        self._spend()
        if isinstance(source, str):
            if self._expressions.is_expression(source):
                return self._expressions.value(source, self)
            return self._expressions.plain(source)
        if isinstance(source, list):
            return [self._value(member) for member in cast("list[Any]", source)]
        if isinstance(source, dict):
            inside = cast("dict[str, Any]", source)
            return {name: self._value(inner) for name, inner in inside.items()}
        return source

    def _field(self, name: str) -> Field:
        if self._expressions.is_expression(name):
            name = str(self._expressions.value(name, self))
        field = find_field(name)
        if field is None:
            raise ExpressionUnfit(f"there is no field '{name[:200]}'")
        return field

    def _spend(self) -> None:
        self._steps += 1
        if self._steps > STEPS_MAX:
            raise ExpressionUnfit(f"the rule comes to more than {STEPS_MAX} conditions and values")

    def parameter(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """As `Asking.parameter`."""
        if name.lower() not in self._parameters:
            raise ExpressionUnfit(f"the parameter '{name[:100]}' has no value")
        return self._parameters[name.lower()]

    def field(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """As `Asking.field`."""
        self._spend()
        field = self._field(name)
        values = select(self._content, field, self._members)
        return values if is_collection(field, self._members) else values[0]

    def current(self, name: str | None) -> Any:  # noqa: ANN401 - JSON
        """As `Asking.current`: the innermost member, one by its count's name, or a field of it."""
        if not self._currents:
            raise ExpressionUnfit("'current' is only known within the 'where' of a count")
        if name is None:
            return self._currents[-1][1]
        for known, member in reversed(self._currents):
            if known == name.lower():
                return member
        field = find_field(name)
        if field is None or is_collection(field, self._members):
            raise ExpressionUnfit(f"there is no count named '{name[:100]}' around it")
        return select(self._content, field, self._members)[0]

    def known(self, function: str) -> Mapping[str, Any]:
        """As `Asking.known`."""
        answers: dict[str, Mapping[str, Any] | None] = {
            "subscription": self._world.subscription,
            "resourcegroup": self._world.resource_group,
            "requestcontext": self._world.request,
            "policy": self._policy,
        }
        found = answers.get(function.lower())
        if found is None:
            raise ExpressionUnfit(f"'{function}()' has no value: the resource lies in none")
        return found

    @property
    def now(self) -> str:
        """As `Asking.now`."""
        return self._world.now


def _short(value: Any) -> Any:  # noqa: ANN401 - JSON
    """A value that is small enough to be told."""
    if isinstance(value, list | dict):
        text = msgspec.json.encode(value).decode()
        whole: Any = cast("Any", value)
        return whole if len(text) <= TOLD_CHARACTERS_MAX else f"{text[:TOLD_CHARACTERS_MAX]}…"
    if isinstance(value, str):
        return value[:TOLD_CHARACTERS_MAX]
    return value
