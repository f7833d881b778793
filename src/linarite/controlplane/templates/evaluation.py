"""Evaluates the expressions of a template, one value at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.templates.facts import Fact, FactWanted, Surroundings
from linarite.controlplane.templates.functions import (
    DEFAULTS_ONLY,
    LAMBDA,
    find_function,
    reads_world,
)
from linarite.controlplane.templates.language.parser import is_expression, parse, unescaped
from linarite.controlplane.templates.language.syntax import Access, Call, Literal
from linarite.controlplane.templates.problems import ArgumentUnfit, ExpressionFailed
from linarite.controlplane.templates.scope import Place, Scope
from linarite.controlplane.templates.values import (
    Lambda,
    array,
    find,
    integer,
    kind_of,
    mapping,
    text,
    weigh,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.controlplane.templates.functions.builtin import Builtin, Declared
    from linarite.controlplane.templates.language.syntax import Node
    from linarite.controlplane.templates.values import Value

COPY_COUNT_MAX = 800
CALL_DEPTH_MAX = 60


class Evaluator:
    """Evaluates at one place of the template; it is the functions' `Evaluation`."""

    def __init__(self, scope: Scope, place: Place | None = None) -> None:
        self.scope = scope
        self.place = place or Place()

    @property
    def surroundings(self) -> Surroundings:
        """Where and when the template is deployed."""
        return self.scope.surroundings

    def value(self, source: Value) -> Value:
        """A value of the document with every expression in it evaluated."""
        self.scope.names.spend(1)
        if isinstance(source, str):
            return self.value_of(parse(source)) if is_expression(source) else unescaped(source)
        if isinstance(source, list):
            return [self.value(member) for member in source]
        if isinstance(source, dict):
            return self._object(source)
        return source

    def _object(self, source: dict[str, Value]) -> Value:
        made: dict[str, Value] = {}
        for name, inner in source.items():
            if name.lower() == "copy" and is_property_copy(inner):
                for loop in array(inner):
                    made[text(mapping(loop)["name"])] = self.loop(mapping(loop))
            elif is_expression(name):
                made[text(self.value_of(parse(name)))] = self.value(inner)
            else:
                made[name] = self.value(inner)
        return made

    def loop(self, loop: dict[str, Value], *, own: bool = False) -> list[Value]:
        """A loop's `input`, once for each index. `own`: `copyIndex()` means this loop."""
        name = text(loop.get("name") or "")
        made: list[Value] = []
        for at in range(self.copy_count(loop)):
            copies = {**self.place.copies, name.lower(): at}
            if own or "" not in copies:
                copies[""] = at
            made.append(self._within(copies=copies).value(loop.get("input")))
        return made

    def copy_count(self, loop: dict[str, Value]) -> int:
        """How often a loop runs. Raises ExpressionFailed outside 0 to 800."""
        count = self.value(loop.get("count"))
        name = text(loop.get("name") or "")
        if (
            isinstance(count, bool)
            or not isinstance(count, int)
            or not 0 <= count <= COPY_COUNT_MAX
        ):
            raise ExpressionFailed(
                f"The template copy definition '{name}' has an invalid copy count '{count}'. The "
                f"copy count must be an integer between 0 and {COPY_COUNT_MAX}. Please see "
                "https://aka.ms/arm-resource-loops for usage details."
            )
        return count

    def value_of(self, node: Node) -> Value:
        """The value of an expression's node."""
        self.scope.names.spend(1)
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Access):
            return self._access(node)
        if node.name.lower() == LAMBDA:
            return self._lambda(node)
        if "." in node.name:
            return self._own_function(node)
        return self._builtin(node)

    def _builtin(self, node: Call) -> Value:
        found = find_function(node.name)
        if found is None:
            raise ExpressionFailed(
                f"The template function '{node.name}' is not valid. Please see "
                "https://aka.ms/arm-functions for usage details."
            )
        name, builtin = found
        self._check_call(name, builtin, node)
        arguments = [*node.arguments] if builtin.takes == "nodes" else self._values(node)
        if builtin.takes != "values":
            arguments = [self, *arguments]
        try:
            value = builtin.function(*arguments)
        except ArgumentUnfit as unfit:
            raise ExpressionFailed(
                f"The template language function '{name}' {unfit} Please see "
                "https://aka.ms/arm-functions for usage details."
            ) from None
        if isinstance(value, list | dict) and name not in {"parameters", "variables"}:
            self.scope.names.spend(weigh(value))
        return value

    def _check_call(self, name: str, builtin: Builtin, node: Call) -> None:
        if name.lower() in DEFAULTS_ONLY and not self.place.defaults:
            raise ExpressionFailed(
                f"The template function '{name}' is not expected at this location: it may only be "
                "used in the default value of a parameter. Please see "
                "https://aka.ms/arm-functions for usage details."
            )
        if reads_world(name) and self.place.facts is None:
            raise ExpressionFailed(
                f"The template function '{name}' is not expected at this location: its value is "
                "not known before the deployment runs. Please see https://aka.ms/arm-functions "
                "for usage details."
            )
        if not builtin.least <= len(node.arguments) <= builtin.most:
            wanted = str(builtin.least)
            if builtin.most != builtin.least:
                wanted = f"at least {builtin.least}"
            raise ExpressionFailed(
                f"Unable to evaluate template language function '{name}': function requires "
                f"{wanted} argument(s) while '{len(node.arguments)}' were provided. Please see "
                "https://aka.ms/arm-functions for usage details."
            )

    def _values(self, node: Call) -> list[Value]:
        return [self.value_of(argument) for argument in node.arguments]

    def _access(self, node: Access) -> Value:
        whole, key = self.value_of(node.of), self.value_of(node.key)
        if whole is None and node.safe:
            return None
        if isinstance(whole, dict) and isinstance(key, str):
            name = find(whole, key)
            if name is None and not node.safe:
                raise ExpressionFailed(
                    f"The language expression property '{key}' doesn't exist, available "
                    f"properties are '{', '.join(list(whole)[:50])}'. Please see "
                    "https://aka.ms/arm-functions for usage details."
                )
            return None if name is None else whole[name]
        if isinstance(whole, list):
            return self._member(whole, integer_key(key), safe=node.safe)
        raise ExpressionFailed(
            f"The language expression property '{key}' can't be evaluated: a value of type "
            f"'{kind_of(whole)}' has no such property."
        )

    def _member(self, members: list[Value], at: int, *, safe: bool) -> Value:
        if 0 <= at < len(members):
            return members[at]
        if safe:
            return None
        raise ExpressionFailed(
            f"The language expression property array index '{at}' is out of bounds: the array has "
            f"{len(members)} member(s)."
        )

    def _lambda(self, node: Call) -> Value:
        *names, body = node.arguments or (Literal(""),)
        return Lambda(
            tuple(text(self.value_of(name)) for name in names), body, self.place.lambda_variables
        )

    def apply(self, function: Lambda, *arguments: Value) -> Value:
        """Call a lambda. Raises ExpressionFailed when it takes another number of arguments."""
        if len(function.names) != len(arguments):
            raise ExpressionFailed(
                f"The lambda has {len(function.names)} variable(s), it is called with "
                f"{len(arguments)}."
            )
        given = dict(zip((name.lower() for name in function.names), arguments, strict=True))
        inner = self._within(lambda_variables={**function.captured, **given})
        return inner.value_of(function.body)

    def _own_function(self, node: Call) -> Value:
        own = self.scope.names.functions.get(node.name.lower())
        if own is None:
            raise ExpressionFailed(
                f"The template function '{node.name}' is not found. Please see "
                "https://aka.ms/arm-syntax-user-functions for usage details."
            )
        if len(node.arguments) != len(own.parameters):
            raise ExpressionFailed(
                f"The template function '{node.name}' requires {len(own.parameters)} argument(s) "
                f"while '{len(node.arguments)}' were provided."
            )
        names = (name.lower() for name in own.parameters)
        arguments = dict(zip(names, self._values(node), strict=True))
        inner = self._within(lambda_variables={}, arguments=arguments, facts=None)
        return inner.value(own.body)

    def named(self, kind: str, name: str) -> Value:
        """A parameter, a variable, a lambda's variable or the index of a copy loop."""
        if kind == "variable" and self.place.arguments is None:
            return self.scope.names.variable(name, Evaluator(self.scope).value)
        visible = self._visible(kind)
        if name.lower() in visible:
            return visible[name.lower()]
        if kind == "copy loop":
            raise ExpressionFailed(
                "The template function 'copyIndex' is not expected at this location: there is no "
                f"copy loop {name!r} around it. Please see https://aka.ms/arm-copy for usage "
                "details."
            )
        raise ExpressionFailed(
            f"The template {kind} '{name}' is not found. Please see "
            "https://aka.ms/arm-syntax-parameters for usage details."
        )

    def _visible(self, kind: str) -> Mapping[str, Value]:
        if kind == "copy loop":
            return {**self.place.copies}
        if kind == "lambda variable":
            return self.place.lambda_variables
        if self.place.arguments is not None:
            return self.place.arguments if kind == "parameter" else {}
        return self.scope.names.parameters

    def fact(self, fact: Fact) -> Value:
        """What exists. Raises FactWanted as long as it is not at hand."""
        known = self.place.facts or {}
        if fact.key not in known:
            raise FactWanted(fact.key)
        return known[fact.key]

    def declared(self, name: str) -> list[Declared]:
        """The resources of this template that a symbol, name or id means."""
        return self.scope.declared(name)

    def _within(self, **changes: object) -> Evaluator:
        """An evaluator further in; it sees what this one sees but for the changes."""
        if self.place.depth >= CALL_DEPTH_MAX:
            raise ExpressionFailed(f"Functions call each other more than {CALL_DEPTH_MAX} deep.")
        place = msgspec.structs.replace(self.place, depth=self.place.depth + 1, **changes)
        return Evaluator(self.scope, place)


def is_property_copy(value: Value) -> bool:
    """Whether a property named `copy` is a loop over properties and no property."""
    return isinstance(value, list) and all(
        isinstance(loop, dict) and isinstance(loop.get("name"), str) and "count" in loop
        for loop in value
    )


def integer_key(key: Value) -> int:
    """An index into an array. Raises ExpressionFailed for what is none."""
    try:
        return integer(key)
    except ArgumentUnfit:
        raise ExpressionFailed(
            f"The language expression property '{key}' can't be evaluated, property name must be "
            "an integer index of the array."
        ) from None
