"""What is refused about vector stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.errors import GatewayError, InvalidRequest, LinariteError, ModelError

if TYPE_CHECKING:
    from linarite.domain.vector_store import FileProblem

DEPLOYMENT_SETTING = "vector_stores.embedding_deployment"


class NoSuchVectorStore(ModelError):
    """The account has no such store, or not one that the caller may see."""

    status = 404

    def __init__(self, store_id: str) -> None:
        """Say the same of a store of another account's."""
        super().__init__(f"Vector store with id '{store_id[:100]}' not found.", param="id")


class NoSuchStoreFile(ModelError):
    """The store has no such file."""

    status = 404

    def __init__(self, file_id: str, store_id: str) -> None:
        """Name both."""
        super().__init__(
            f"No file found with id '{file_id[:100]}' in vector store '{store_id[:100]}'.",
            param="file_id",
        )


class NoSuchFileBatch(ModelError):
    """The store has no such batch."""

    status = 404

    def __init__(self, batch_id: str, store_id: str) -> None:
        """Name both."""
        super().__init__(
            f"No file batch found with id '{batch_id[:100]}' in vector store '{store_id[:100]}'.",
            param="batch_id",
        )


class NoSuchFileToAdd(ModelError):
    """A file that shall come into a store is none of the account's, or not to be seen."""

    status = 404

    def __init__(self, file_id: str) -> None:
        """Say the same of a file of another account's."""
        super().__init__(f"No such File object: {file_id[:100]}", param="file_id")


class VectorStoreExpired(InvalidRequest):
    """Its time is over: it holds nothing any more."""

    def __init__(self, store_id: str) -> None:
        """Say what can be done."""
        super().__init__(
            f"Vector store {store_id} has expired. Create another one with the same files.",
            param="vector_store_id",
            code="vector_store_expired",
        )


class TooManyStoreFiles(GatewayError):
    """As many files as a store, or stores as an account may have."""

    control = "quota"
    status = 400
    code = "quotaExceeded"

    def __init__(self, what: str, most: int, setting: str) -> None:
        """Name the limit and its setting."""
        super().__init__(
            f"{what} may have at most {most}: {setting}.",
            hint={"limit": most, "setting": setting},
        )


class NoEmbeddingDeployment(GatewayError):
    """The account has no deployment that makes vectors, or not the one that settings name."""

    control = "request"
    status = 400
    code = "EmbeddingDeploymentNotFound"

    def __init__(self, wanted: str) -> None:
        """`wanted` "" where settings name none."""
        why = (
            f"There is no deployment '{wanted}' in this account"
            if wanted
            else "This account has no deployment of an embedding model"
        )
        super().__init__(
            f"{why}. Vector stores need one: deploy an embedding model, such as "
            f"multilingual-e5-small, or name the deployment in the setting {DEPLOYMENT_SETTING}.",
            hint={"setting": DEPLOYMENT_SETTING},
        )


class DocumentsNotInstalled(GatewayError):
    """What reads documents and compares vectors is not installed."""

    control = "request"
    status = 501
    code = "DocumentsNotInstalled"

    def __init__(self) -> None:
        """Name the extra."""
        super().__init__(
            "Vector stores need what reads documents and compares vectors, which is not "
            "installed with this server: pip install 'linarite[documents]'.",
            hint={"extra": "documents"},
        )


class EmbeddingRefused(ModelError):
    """The deployment did not make vectors, and would not the next time either."""

    def __init__(self, message: str, status: int, code: str | None) -> None:
        """As the deployment's own answer says."""
        super().__init__(message, code=code)
        self.status = status


class EmbeddingBusy(GatewayError):
    """The deployment has no room now."""

    control = "place"
    status = 503
    code = "503"

    def __init__(self, message: str, wait_s: float) -> None:
        """`wait_s`: when to ask again."""
        super().__init__(message, headers={"retry-after": str(max(1, round(wait_s)))})
        self.wait_s = wait_s


class FileUnreadable(LinariteError):
    """A file gives no text."""

    def __init__(self, problem: FileProblem) -> None:
        """As the file's `last_error` tells it."""
        super().__init__(problem.message)
        self.problem = problem
