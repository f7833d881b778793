"""What a rule needs of the template language, and what an expression of a rule may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ExpressionUnfit(Exception):
    """An expression that can't be read, or that has no value."""


class Called(msgspec.Struct, frozen=True):
    """A function that an expression calls."""

    name: str
    literals: tuple[str | None, ...]
    """its arguments; None for those that are no plain string"""


class Asking(Protocol):
    """What an expression may ask while it is evaluated."""

    def parameter(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """A parameter's value. Raises ExpressionUnfit."""
        ...

    def field(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """A field of the resource; of an array alias, every value. Raises ExpressionUnfit."""
        ...

    def current(self, name: str | None) -> Any:  # noqa: ANN401 - JSON
        """The member that a count has come to. Raises ExpressionUnfit."""
        ...

    def known(self, function: str) -> Mapping[str, Any]:
        """What `resourceGroup`, `subscription`, `requestContext` or `policy` answers."""
        ...

    @property
    def now(self) -> str:
        """The time, in ISO 8601."""
        ...


class Expressions(Protocol):
    """The template language."""

    def is_expression(self, text: str) -> bool:
        """Whether a string is to be evaluated."""
        ...

    def plain(self, text: str) -> str:
        """A string that is no expression, without the escape of its bracket."""
        ...

    def calls(self, text: str) -> Sequence[Called]:
        """Every function that is called. Raises ExpressionUnfit, also for unknown functions."""
        ...

    def value(self, text: str, asking: Asking) -> Any:  # noqa: ANN401 - JSON
        """What it evaluates to. Raises ExpressionUnfit."""
        ...
