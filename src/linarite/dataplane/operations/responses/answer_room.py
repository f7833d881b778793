"""How much the tools of MCP servers may answer for one response: it is held, kept and sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.mcp.server import INTERNAL_ERROR, PROTOCOL_ERROR, McpProblem

if TYPE_CHECKING:
    from linarite.mcp import CallResult

CHARACTERS_MAX = 8 * 1024 * 1024


class AnswerRoom:
    """The room of one response, as it is taken up."""

    def __init__(self) -> None:
        self._left = CHARACTERS_MAX

    def taken(self, answered: CallResult) -> CallResult:
        """An answer, for which there is room now. Raises McpProblem where there is none."""
        error = answered.error
        size = len(answered.output) + (len(msgspec.json.encode(error)) if error is not None else 0)
        if size > self._left:
            raise McpProblem(
                PROTOCOL_ERROR,
                INTERNAL_ERROR,
                "The tool was called, but its answer is not kept: the tools of one response may "
                f"answer {CHARACTERS_MAX} characters.",
            )
        self._left -= size
        return answered
