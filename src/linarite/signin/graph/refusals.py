"""What Graph refuses: `{"error":{"code","message","innerError"}}`.

Source: learn.microsoft.com, "Microsoft Graph error responses and resource types".
"""

from __future__ import annotations

from linarite.domain.errors import LinariteError


class GraphRefused(LinariteError):
    """A refusal of Graph's."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None
    ) -> None:
        """`code` as Graph has it."""
        super().__init__(message, headers=headers)
        self.status = status
        self.code = code


def no_such(what: str, name: str) -> GraphRefused:
    """Nothing is there."""
    return GraphRefused(
        404,
        "Request_ResourceNotFound",
        f"Resource '{name[:100]}' does not exist or one of its queried reference-property objects "
        f"are not present: this directory has no such {what}.",
    )


def bad(message: str) -> GraphRefused:
    """What was sent is not right."""
    return GraphRefused(400, "Request_BadRequest", message)


def taken(what: str, value: str) -> GraphRefused:
    """Another has this name."""
    return GraphRefused(
        400,
        "Request_MultipleObjectsWithSameKeyValue",
        f"Another object with the same value for property {what} already exists: '{value[:200]}'.",
    )
