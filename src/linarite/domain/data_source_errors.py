"""What is refused about `data_sources`, in the form that Azure's On Your Data has for it.

    {"error":{"requestid":"…","code":400,"message":"Validation error at #/data_sources/0/…: …"}}

Source: answers of the service that its users have published.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from linarite.domain.errors import UpstreamRefused

if TYPE_CHECKING:
    from collections.abc import Sequence


class DataSourceRefused(UpstreamRefused):
    """Nothing is answered out of the data source that was named."""

    control = "request"

    def __init__(self, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        """The number of the request is told by `told_to`."""
        super().__init__(status, {"requestid": "", "code": int(status), "message": message}, {})
        self.code = str(int(status))

    def told_to(self, request_id: str) -> DataSourceRefused:
        """The same, as an answer to that request."""
        self.error["requestid"] = request_id
        return self


class DataSourceInvalid(DataSourceRefused):
    """Parameters are not as they must be: each is told, with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        """`problems` as `/data_sources/0/…: what is wrong`."""
        super().__init__("\n".join(f"Validation error at #{each}" for each in problems))


class IndexNotFound(DataSourceRefused):
    """No index of that name, or none that the caller may see."""

    def __init__(self, wanted: str) -> None:
        """Say the same of a store of another's."""
        super().__init__(
            "An error occurred when calling Azure Cognitive Search: Azure Search Error: 404: The "
            f"index '{wanted[:100]}' was not found. An index here is a vector store, by its id or "
            "its name: see GET /openai/v1/vector_stores."
        )


class SearchFailed(DataSourceRefused):
    """The search service refused, or could not be reached."""

    control = "engine"

    def __init__(self, why: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        """`status` 400 where the request is at fault, 424 where the service is."""
        super().__init__(
            f"An error occurred when calling Azure Cognitive Search: {why}", status=status
        )
