"""What can be wrong with a template, in ARM's words and codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Sequence

INVALID_TEMPLATE = "InvalidTemplate"
INVALID_DEPLOYMENT = "InvalidTemplateDeployment"


class Problem(msgspec.Struct, frozen=True):
    """One thing to change."""

    message: str
    code: str = INVALID_TEMPLATE
    target: str | None = None
    """the parameter, variable, output or resource at fault"""


class TemplateRefused(LinariteError):
    """The template cannot be deployed; `problems` holds everything that was found wrong."""

    status = 400

    def __init__(self, problems: Sequence[Problem]) -> None:
        """One problem is told as it is; several stand as details under one sentence."""
        first = problems[0]
        many = f"Deployment template validation failed with {len(problems)} errors. See details."
        super().__init__(first.message if len(problems) == 1 else many)
        self.code = first.code if len(problems) == 1 else INVALID_TEMPLATE
        self.problems = tuple(problems)


class ExpressionFailed(Exception):
    """An expression has no value; where it stands is added by who asked for the value."""


class ArgumentUnfit(Exception):
    """A function got what it cannot take; the function's name is added by its caller."""

    def __init__(self, expected: str, got: str) -> None:
        """`expected` as in "expects its parameter to be …", `got` a type's name."""
        super().__init__(f"expects its parameter to be {expected}. The provided value is {got}.")


def validation_failed(reason: str, target: str | None = None) -> Problem:
    """A problem of the document, in the sentence that ARM wraps around every one of them."""
    return Problem(f"Deployment template validation failed: '{reason}'.", target=target)
