"""The vector of a query for an index of Azure AI Search (`embedding_dependency`)."""

from __future__ import annotations

from http import HTTPStatus
from math import hypot
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from linarite.domain.data_source import WITH_VECTORS
from linarite.domain.data_source_errors import DataSourceInvalid, SearchFailed
from linarite.domain.errors import EgressRefused
from linarite.domain.target import target_of
from linarite.knowledge.own_stores import is_own
from linarite.knowledge.search_services import AT, given_header
from linarite.vector_stores.embedding import numbers_of

if TYPE_CHECKING:
    from linarite.domain.data_source import SearchParameters
    from linarite.domain.target import Target
    from linarite.domain.vector_store import Embedder
    from linarite.knowledge.asker import Asker
    from linarite.knowledge.azure_search import AzureSearch

API_VERSION = "2024-10-21"
PARTS = 4
"""of `openai/deployments/NAME/embeddings`"""


class QueryVectors:
    """Makes them as a request says."""

    def __init__(self, embedder: Embedder, search: AzureSearch, suffix: str) -> None:
        self._embedder = embedder
        self._search = search
        self._suffix = suffix

    async def of(self, asker: Asker, said: SearchParameters, query: str) -> list[float] | None:
        """None where the service makes it, or none is wanted.

        Raises DataSourceInvalid, SearchFailed, and what Embedder does.
        """
        told = said.embedding_dependency
        if (said.query_type or "simple") not in WITH_VECTORS or told is None:
            return None
        if told["type"] == "integrated":
            return None
        dimensions: int | None = told.get("dimensions")
        if told["type"] == "deployment_name":
            return await self._own(asker, told["deployment_name"], query, dimensions)
        target, deployment = _embedding_endpoint(str(told["endpoint"]))
        if is_own(str(told["endpoint"]), asker, self._suffix):
            return await self._own(asker, deployment, query, dimensions)
        return await self._elsewhere(asker, target, told, query)

    async def _own(
        self, asker: Asker, deployment: str, query: str, dimensions: int | None
    ) -> list[float]:
        ask = self._embedder.embed
        made = await ask(asker.account_id, asker.principal, deployment, [query], query=True)
        return shortened(numbers_of(made[0]).tolist(), dimensions)

    async def _elsewhere(
        self, asker: Asker, target: Target, told: dict[str, Any], query: str
    ) -> list[float]:
        header = given_header(told["authentication"])
        assert header is not None  # noqa: S101 - identities are refused there
        body: dict[str, Any] = {"input": [query]}
        if told.get("dimensions"):
            body["dimensions"] = told["dimensions"]
        path = f"{target.path}?api-version={API_VERSION}"
        encoded = msgspec.json.encode(body)
        status, answer = await self._search.post(asker, target, path, header, encoded)
        try:
            if status == HTTPStatus.OK:
                vector = msgspec.json.decode(answer)["data"][0]["embedding"]
                return msgspec.convert(vector, list[float])
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            pass
        raise SearchFailed(
            f"The embedding endpoint {target.host_header} made no vector: it answered {status}.",
            HTTPStatus.FAILED_DEPENDENCY,
        )


def _embedding_endpoint(told: str) -> tuple[Target, str]:
    """Where it is, and which deployment it means. Raises DataSourceInvalid."""
    at = f"{AT}/embedding_dependency/endpoint/endpoint"
    try:
        target = target_of(told)
    except EgressRefused:
        raise DataSourceInvalid([f"{at}: Input should be a valid URL"]) from None
    parts = target.path.strip("/").split("/")
    if len(parts) < PARTS or parts[-1] != "embeddings" or "?" in target.path:
        raise DataSourceInvalid(
            [f"{at}: Input should look like https://NAME/openai/deployments/DEPLOYMENT/embeddings"]
        )
    return target, unquote(parts[-2])


def shortened(vector: list[float], dimensions: int | None) -> list[float]:
    """The first so many numbers, at unit length: what `dimensions` of an embedding means."""
    if dimensions is None or dimensions >= len(vector):
        return vector
    part = vector[:dimensions]
    length = hypot(*part)
    return [each / length for each in part] if length else part
