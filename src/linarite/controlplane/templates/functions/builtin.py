"""What a template function is, and what it may ask of the evaluation that calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from linarite.controlplane.templates.values import Value

if TYPE_CHECKING:
    from linarite.controlplane.templates.facts import Fact, Surroundings
    from linarite.controlplane.templates.language.syntax import Node
    from linarite.controlplane.templates.values import Lambda

UNBOUNDED = 10_000


class Declared(msgspec.Struct, frozen=True):
    """A resource that the template declares, as far as other expressions may know it."""

    id: str
    type: str
    name: str
    api_version: str


class Evaluation(Protocol):
    """The evaluation under way."""

    @property
    def surroundings(self) -> Surroundings:
        """Where and when the template is deployed."""
        ...

    def value_of(self, node: Node) -> Value:
        """Evaluate an argument that was handed over as it stands."""
        ...

    def apply(self, function: Lambda, *arguments: Value) -> Value:
        """Call a lambda."""
        ...

    def named(self, kind: str, name: str) -> Value:
        """A parameter, a variable, a lambda's variable or the index of a copy loop ("" for own)."""
        ...

    def fact(self, fact: Fact) -> Value:
        """What exists, read at the time of the deployment."""
        ...

    def declared(self, name: str) -> list[Declared]:
        """The resources of this template that a symbol, name or id means."""
        ...


class Builtin(msgspec.Struct, frozen=True):
    """A function and how many arguments it takes."""

    function: Callable[..., Value]
    least: int = 1
    most: int = UNBOUNDED
    takes: str = "values"
    """`values`, `evaluation` (it first, then values) or `nodes` (it first, then the nodes)"""


def pure(function: Callable[..., Value], least: int = 1, most: int | None = None) -> Builtin:
    """A function of its arguments alone, `least` of them or up to `most`."""
    return Builtin(function, least, least if most is None else most)


def asking(function: Callable[..., Value], least: int = 0, most: int | None = None) -> Builtin:
    """A function that needs the evaluation besides its arguments."""
    return Builtin(function, least, least if most is None else most, "evaluation")


def lazy(function: Callable[..., Value], least: int = 1, most: int | None = None) -> Builtin:
    """A function that decides itself which arguments are evaluated."""
    return Builtin(function, least, least if most is None else most, "nodes")
