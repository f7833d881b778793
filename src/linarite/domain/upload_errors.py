"""What is refused about uploads: files that come in parts."""

from __future__ import annotations

from linarite.domain.errors import GatewayError, InvalidRequest, ModelError


class NoSuchUpload(GatewayError):
    """The account has no such upload, or not one that the caller may see. The dated dialect's."""

    control = "request"
    status = 404
    code = "notFound"

    def __init__(self, upload_id: str) -> None:
        """Say the same of an upload of another account's."""
        super().__init__(f"There is no upload '{upload_id[:100]}' in this account.")


class NoSuchUploadObject(ModelError):
    """The same on `/openai/v1/`, in OpenAI's words."""

    status = 404

    def __init__(self, upload_id: str) -> None:
        """See NoSuchUpload."""
        super().__init__(f"No such Upload object: {upload_id[:100]}", param="id")


class UploadNotPending(InvalidRequest):
    """It takes no more parts and can't be ended again."""

    def __init__(self, upload_id: str, status: str) -> None:
        """Say how it ended."""
        super().__init__(
            f"Upload {upload_id} is {status}; only one that is pending takes parts, or can be "
            "completed or cancelled.",
            param="id",
        )


class PartsDoNotFit(InvalidRequest):
    """The parts that are named do not make the file that was announced."""

    def __init__(self, why: str, param: str = "part_ids") -> None:
        """Say what is wrong with them."""
        super().__init__(f"The upload can't be completed: {why}. It is still pending.", param=param)


class AccountIsFull(GatewayError):
    """As many as an account may have of something that is not finished."""

    control = "quota"
    status = 400
    code = "quotaExceeded"

    def __init__(self, what: str, most: int, do: str) -> None:
        """Name the limit, and what to do about it."""
        super().__init__(f"{what}: {most}. {do}", hint={"limit": most})
