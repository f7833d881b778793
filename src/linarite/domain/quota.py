"""What a request may use, estimated before any work is done for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from linarite.domain.usage import Usage

CostOf = Callable[[Usage], int]
"""what one request costs that uses so much, in billionths of the price book's currency"""


def free(_: Usage) -> int:
    """Of a request that has no price."""
    return 0


class Price(NamedTuple):
    """Tokens, at the most, as far as the request tells."""

    prompt_tokens: int
    completion_tokens: int | None = 0
    """of each answer; None where the request sets no bound"""
    answers: int = 1


class Priced(Protocol):
    """A request that can be estimated, and that knows what it has used."""

    @property
    def usage(self) -> Usage | None:
        """What it has used; None where nobody knows."""
        ...

    @property
    def guessed(self) -> bool:
        """Whether nobody has counted what it used: it may be more."""
        ...

    def price(self) -> Price:
        """The estimate, by what characters the request has."""
        ...
