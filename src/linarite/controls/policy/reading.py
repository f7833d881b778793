"""Reads a rule's `if` into its tree, and tells everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.controls.policy.aliases import near
from linarite.controls.policy.comparing import ARRAYS, SPELLINGS, text_of
from linarite.controls.policy.expressions import ExpressionUnfit
from linarite.controls.policy.fields import COMMON, find_field
from linarite.controls.policy.problems import INVALID_ALIAS, INVALID_PARAMETERS, invalid_rule
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
    from collections.abc import Collection, Iterator, Mapping

    from linarite.controls.policy.expressions import Expressions
    from linarite.controls.policy.tree import Node
    from linarite.domain.arm_errors import Problem

DEPTH_MAX = 50
NODES_MAX = 512
"""Azure's own limit on the conditions and operators of a rule"""
LOGICAL = ("allof", "anyof", "not")
SUBJECTS = ("field", "value", "count")


class RuleUnfit(Exception):
    """Reading can't go on here."""

    def __init__(self, problem: Problem) -> None:
        """Say what is wrong."""
        super().__init__(problem.message)
        self.problem = problem


class RuleReader:
    """Reads one rule; `problems` collects what is wrong with it."""

    def __init__(self, expressions: Expressions, parameters: Collection[str]) -> None:
        """`parameters` are the declared ones, in lower case."""
        self.problems: list[Problem] = []
        self._expressions = expressions
        self._parameters = parameters
        self._nodes = 0

    def node(self, source: Any, place: str, depth: int = 0) -> Node:  # noqa: ANN401 - JSON
        """A condition or a logical operator. What is unreadable in it becomes a problem."""
        try:
            return self._node(source, place, depth)
        except RuleUnfit as unfit:
            self.problems.append(unfit.problem)
            return AllOf(())

    def _node(self, source: Any, place: str, depth: int) -> Node:  # noqa: ANN401 - JSON
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise _unfit(f"a rule has at most {NODES_MAX} conditions and operators", place)
        if depth > DEPTH_MAX:
            raise _unfit(f"a rule is nested at most {DEPTH_MAX} levels deep", place)
        properties = _object(source, place)
        lowered = {name.lower(): name for name in properties}
        found = [word for word in LOGICAL if word in lowered]
        if not found:
            return self._condition(properties, place, depth)
        if len(properties) != 1:
            raise _unfit("a logical operator stands alone in its object", place)
        name = lowered[found[0]]
        inner = properties[name]
        if found[0] == "not":
            return Not(self.node(inner, f"{place}.not", depth + 1))
        if not isinstance(inner, list) or not inner:
            raise _unfit(f"'{name}' takes an array with at least one condition", f"{place}.{name}")
        members = tuple(
            self.node(each, f"{place}.{name}[{at}]", depth + 1)
            for at, each in enumerate(cast("list[Any]", inner))
        )
        return AllOf(members) if found[0] == "allof" else AnyOf(members)

    def _condition(self, source: Mapping[str, Any], place: str, depth: int) -> Node:
        subjects = [name for name in source if name.lower() in SUBJECTS]
        others = [name for name in source if name.lower() not in SUBJECTS]
        if len(subjects) != 1:
            raise _unfit(
                "a condition has exactly one of 'field', 'value' and 'count', or is one of "
                "'allOf', 'anyOf' and 'not'",
                place,
            )
        if len(others) != 1 or others[0].lower() not in SPELLINGS:
            known = ", ".join(SPELLINGS.values())
            told = f"; found {', '.join(repr(each[:40]) for each in others)}" if others else ""
            raise _unfit(f"a condition has exactly one of {known}{told}", place)
        operator = SPELLINGS[others[0].lower()]
        subject = self._subject(subjects[0], source[subjects[0]], place, depth)
        target = source[others[0]]
        self.require_target(operator, target, f"{place}.{others[0]}")
        return Condition(subject, operator, target)

    def _subject(
        self,
        word: str,
        source: Any,  # noqa: ANN401 - JSON
        place: str,
        depth: int,
    ) -> OfField | OfValue | CountOfField | CountOfValue:
        if word.lower() == "field":
            return OfField(self.field_name(source, f"{place}.field"))
        if word.lower() == "value":
            self.expressions_in(source, f"{place}.value")
            return OfValue(source)
        return self._count(_object(source, f"{place}.count"), f"{place}.count", depth)

    def _count(
        self, source: Mapping[str, Any], place: str, depth: int
    ) -> CountOfField | CountOfValue:
        given = {name.lower(): inner for name, inner in source.items()}
        unknown = given.keys() - {"field", "value", "name", "where"}
        if unknown or ("field" in given) == ("value" in given):
            raise _unfit(
                "a count has either 'field' or 'value' (with a 'name'), and may have 'where'", place
            )
        where = None
        if given.get("where") is not None:
            where = self.node(given["where"], f"{place}.where", depth + 1)
        if "value" in given:
            self.expressions_in(given["value"], f"{place}.value")
            return CountOfValue(given["value"], str(given.get("name") or ""), where)
        name = self.field_name(given["field"], f"{place}.field")
        field = find_field(name)
        if field is not None and not field.is_array:
            raise _unfit(
                f"'{name}' is no array alias: it must contain [*] to be counted", f"{place}.field"
            )
        return CountOfField(name, where)

    def field_name(self, source: Any, place: str) -> str:  # noqa: ANN401 - JSON
        """The name of a field, which must be known unless an expression makes it."""
        if not isinstance(source, str) or not source:
            raise _unfit("'field' takes the name of a field as a string", place)
        if self._expressions.is_expression(source):
            self.expressions_in(source, place)
        elif find_field(source) is None:
            self.problems.append(_unknown_field(source, place))
        return source

    def require_target(self, operator: str, target: Any, place: str) -> None:  # noqa: ANN401 - JSON
        """Let pass what the operator can be compared with."""
        self.expressions_in(target, place)
        if isinstance(target, str) and self._expressions.is_expression(target):
            return
        text = text_of(target)
        if operator in ARRAYS and not isinstance(target, list):
            raise _unfit(f"'{operator}' takes an array", place)
        if operator == "exists" and text.lower() not in {"true", "false"}:
            raise _unfit("'exists' takes true or false", place)
        if operator.lower().endswith("like") and text.count("*") > 1:
            raise _unfit(f"'{operator}' takes at most one wildcard '*'", place)
        if operator not in {*ARRAYS, "equals", "notEquals"} and isinstance(target, list | dict):
            raise _unfit(f"'{operator}' takes a single value", place)

    def expressions_in(self, source: Any, place: str) -> None:  # noqa: ANN401 - JSON
        """Collect what is wrong with the expressions anywhere in a value."""
        for text, inner_place in _texts(source, place, 0):
            if self._expressions.is_expression(text):
                self._check_calls(text, inner_place)

    def _check_calls(self, text: str, place: str) -> None:
        try:
            calls = self._expressions.calls(text)
        except ExpressionUnfit as unfit:
            self.problems.append(invalid_rule(str(unfit), place))
            return
        for call in calls:
            first = call.literals[0] if call.literals else None
            if first is None:
                continue
            if call.name.lower() == "parameters" and first.lower() not in self._parameters:
                self.problems.append(
                    invalid_rule(
                        f"the parameter '{first[:100]}' is not declared", place, INVALID_PARAMETERS
                    )
                )
            if call.name.lower() == "field" and find_field(first) is None:
                self.problems.append(_unknown_field(first, place))


def _texts(source: Any, place: str, depth: int) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Every string in a value, with its place."""
    if depth > DEPTH_MAX:
        raise _unfit(f"a value is nested at most {DEPTH_MAX} levels deep", place)
    if isinstance(source, str):
        yield source, place
    elif isinstance(source, list):
        for at, inner in enumerate(cast("list[Any]", source)):
            yield from _texts(inner, f"{place}[{at}]", depth + 1)
    elif isinstance(source, dict):
        for name, inner in cast("dict[str, Any]", source).items():
            yield from _texts(inner, f"{place}.{name}", depth + 1)


def _object(source: Any, place: str) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    if not isinstance(source, dict):
        raise _unfit("an object is expected", place)
    return cast("Mapping[str, Any]", source)


def _unfit(message: str, place: str) -> RuleUnfit:
    return RuleUnfit(invalid_rule(message, place))


def _unknown_field(name: str, place: str) -> Problem:
    meant = ", ".join(f"'{each}'" for each in near(name))
    if "/" not in name:
        common = ", ".join(COMMON)
        return invalid_rule(
            f"The field '{name[:200]}' is unknown. Common fields are {common} and tags['name']; "
            f"other properties are named by aliases, such as {meant}",
            place,
            INVALID_ALIAS,
        )
    return invalid_rule(
        f"The 'field' property '{name[:200]}' of the policy rule doesn't exist as an alias. "
        f"Near ones are {meant}",
        place,
        INVALID_ALIAS,
    )
