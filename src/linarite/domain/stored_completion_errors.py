"""What is refused about stored chat completions."""

from __future__ import annotations

from linarite.domain.errors import GatewayError, InvalidRequest, ModelError


class NoSuchCompletion(ModelError):
    """The account has stored no such completion, or none that the caller may see."""

    status = 404

    def __init__(self, completion_id: str) -> None:
        """Say the same of another account's."""
        super().__init__(f"Completion {completion_id[:100]} not found.", param="completion_id")


class CompletionsNotKept(InvalidRequest):
    """This account, or this server, stores no completions."""

    def __init__(
        self, why: str = "this server keeps none (stored_completions.bytes_max is 0)"
    ) -> None:
        """Say who has decided so."""
        super().__init__(
            f"'store' can't be true: {why}. Leave it out or send false.",
            param="store",
            code="unsupported_value",
        )


class CompletionsAreFull(GatewayError):
    """As many bytes as an account may store."""

    control = "quota"
    status = 400
    code = "quotaExceeded"

    def __init__(self, most_bytes: int) -> None:
        """Name the limit and its setting."""
        super().__init__(
            f"This account has stored completions of {most_bytes} bytes, which is as much as it "
            "may. Delete some, or raise stored_completions.bytes_max.",
            hint={"limit_bytes": most_bytes, "setting": "stored_completions.bytes_max"},
        )
