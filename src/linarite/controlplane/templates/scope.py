"""What the expressions of a template see: all of them, and those at one place of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.templates.facts import Facts
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import Value, mapping, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from linarite.controlplane.templates.facts import Surroundings
    from linarite.controlplane.templates.functions.builtin import Declared
    from linarite.controlplane.templates.planned import Register

WORK_MAX = 500_000
"""nodes evaluated and values made in one template: about a second of one core"""


class OwnFunction(msgspec.Struct, frozen=True):
    """A function that the template defines; it sees nothing but its arguments."""

    name: str
    parameters: tuple[str, ...]
    body: Value


class Place(msgspec.Struct, frozen=True):
    """What is true at one place. Names are in lower case."""

    facts: Facts | None = None
    """what is known of the world so far; None where it must not be asked"""
    copies: Mapping[str, int] = {}
    """copy loop → index; "" is the loop of the resource"""
    defaults: bool = False
    """within the default value of a parameter"""
    lambda_variables: Mapping[str, Value] = {}
    arguments: Mapping[str, Value] | None = None
    """of the template's own function that this is the body of; None elsewhere"""
    depth: int = 0


class Names:
    """What the template itself names: parameters, variables and functions, found without case."""

    def __init__(
        self,
        parameters: Mapping[str, Value],
        variables: Mapping[str, Value] | None = None,
        functions: Mapping[str, OwnFunction] | None = None,
    ) -> None:
        self.parameters = {name.lower(): value for name, value in parameters.items()}
        self.functions = {name.lower(): own for name, own in (functions or {}).items()}
        self._sources = dict(_sources(variables or {}))
        self._variables: dict[str, Value] = {}
        self._pending: set[str] = set()
        self._work = 0

    def variable(self, name: str, evaluate: Callable[[Value], Value]) -> Value:
        """A variable's value, evaluated when it is first asked for."""
        key = name.lower()
        if key not in self._variables:
            if key not in self._sources:
                raise ExpressionFailed(
                    f"The template variable '{name}' is not found. Please see "
                    "https://aka.ms/arm-syntax-variables for usage details."
                )
            if key in self._pending:
                raise ExpressionFailed(f"The template variable '{name}' refers to itself.")
            self._pending.add(key)
            try:
                made = mapping(evaluate(self._sources[key]))
                self._variables[key] = next(iter(made.values()))
            finally:
                self._pending.discard(key)
        return self._variables[key]

    def begin_work(self) -> None:
        """A new piece of work begins; it may be as large as the last one."""
        self._work = 0

    def spend(self, work: int) -> None:
        """Count work done. Raises ExpressionFailed when the template asks for too much."""
        self._work += work
        if self._work > WORK_MAX:
            raise ExpressionFailed(
                "The template asks for too much work: its expressions evaluate to more than "
                f"{WORK_MAX} values."
            )


def _sources(variables: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Name → an object of which the variable's value is the one property.

    An object, so that a loop among the variables is one like any other.
    """
    for name, source in variables.items():
        if name.lower() != "copy" or not isinstance(source, list):
            yield name.lower(), {"": source}
            continue
        for loop in source:
            yield text(mapping(loop).get("name")).lower(), {"copy": [loop]}


class Scope:
    """What every expression of a template sees."""

    def __init__(
        self, names: Names, surroundings: Surroundings, outside: Scope | None = None
    ) -> None:
        """`outside`: of the template around a nested one that shares its names.

        Then `surroundings` is where resources go, while functions answer as they do outside.
        """
        self.names = names
        self.home = surroundings
        """where resources without a scope of their own go"""
        self.surroundings = surroundings if outside is None else outside.surroundings
        """what `resourceGroup()`, `deployment()` and their like answer"""
        self.register: Register | None = None
        """the resources of the template, as soon as they are known"""
        self._outside = outside

    def declared(self, name: str) -> list[Declared]:
        """The resources that a symbol, name or id means, also those of the template outside."""
        found = [] if self.register is None else self.register.declared(name)
        if not found and self._outside is not None:
            return self._outside.declared(name)
        return found
