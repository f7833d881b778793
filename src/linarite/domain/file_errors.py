"""What is refused about files that applications store."""

from __future__ import annotations

from linarite.domain.errors import GatewayError, InvalidRequest, ModelError


class NoSuchFile(GatewayError):
    """The account has no such file, or not one that the caller may see. The dated dialect's."""

    control = "request"
    status = 404
    code = "notFound"

    def __init__(self, file_id: str) -> None:
        """Say the same of a file of another account's."""
        super().__init__(f"There is no file '{file_id[:100]}' in this account.")


class NoSuchFileObject(ModelError):
    """The same on `/openai/v1/`, in OpenAI's words."""

    status = 404

    def __init__(self, file_id: str) -> None:
        """See NoSuchFile."""
        super().__init__(f"No such File object: {file_id[:100]}", param="id")


class FileNotReady(InvalidRequest):
    """The file is still to come, or could not be had."""

    def __init__(self, file_id: str, status: str, details: str) -> None:
        """Say how it stands."""
        why = f": {details}" if details else ""
        super().__init__(f"File {file_id} has no content, its status is '{status}'{why}.")


class TooManyFiles(GatewayError):
    """As many files of a purpose as an account may have."""

    control = "quota"
    status = 400
    code = "quotaExceeded"

    def __init__(self, purpose: str, most: int, setting: str) -> None:
        """Name the limit and its setting."""
        super().__init__(
            f"This account has {most} files for {purpose}, which is as many as it may have. Delete "
            f"some, or have them expire (expires_after): {setting}.",
            hint={"limit": most, "setting": setting},
        )


class FileTooLarge(GatewayError):
    """More bytes than a file of its purpose may have."""

    control = "request"
    status = 413
    code = "RequestEntityTooLarge"

    def __init__(self, most_bytes: int, setting: str) -> None:
        """Name the limit and its setting."""
        super().__init__(
            f"The file is larger than {most_bytes} bytes.",
            hint={"limit_bytes": most_bytes, "setting": setting},
        )


class NotJsonLines(InvalidRequest):
    """A file for batch or fine-tuning that is none."""

    def __init__(self, purpose: str, why: str) -> None:
        """Say what is wrong with it."""
        super().__init__(
            f"Invalid file for purpose {purpose}: {why}. It must be JSON lines (.jsonl) in UTF-8.",
            param="file",
        )
