"""What is refused about tools that the server carries out itself."""

from __future__ import annotations

from linarite.domain.errors import ModelError


class ToolsNotListed(ModelError):
    """An MCP server's tools could not be had, as OpenAI tells it."""

    control = "request"
    status = 424
    type = "external_connector_error"

    def __init__(self, label: str, why: str, code: str) -> None:
        """`code` is the kind of the problem."""
        super().__init__(
            f"Error retrieving tool list from MCP server: '{label}'. {why}",
            param="tools",
            code=code,
        )
