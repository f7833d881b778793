"""Azure AI Search, over its REST interface, reached by egress's rules for the asking account.

Source: learn.microsoft.com, "Documents - Search Post" of Azure AI Search, 2024-07-01.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import msgspec

from linarite import __version__
from linarite.domain.data_source import SEMANTIC, WITH_VECTORS, Document
from linarite.domain.data_source_errors import DataSourceInvalid, IndexNotFound, SearchFailed
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused
from linarite.domain.network_errors import OutboundAccessDenied
from linarite.domain.target import target_of
from linarite.engines.http_client import HttpClient, HttpClientError, dialer_connector
from linarite.knowledge.search_services import AT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.data_source import FieldsMapping, SearchParameters
    from linarite.domain.dial import Dialer
    from linarite.domain.target import Target
    from linarite.knowledge.asker import Asker
    from linarite.knowledge.search_services import SearchServices

API_VERSION = "2024-07-01"
ANSWER_BYTES_MAX = 16 * 1024 * 1024
TOLD_CHARACTERS_MAX = 500
"""of what a service says of a failure"""
ANSWERED = frozenset((HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT))
"""206: without the semantic ranker, which did not answer in time"""
CONTENT = ("content", "chunk", "text", "page_content", "merged_content", "body")
TITLE = ("title", "name", "metadata_storage_name")
URL = ("url", "source", "metadata_storage_path")
FILEPATH = ("filepath", "file_path", "metadata_storage_name")
CHUNK_ID = ("chunk_id", "chunkId", "id")
"""names that such fields usually have, where `fields_mapping` says nothing"""


class Query(NamedTuple):
    """What is searched for."""

    text: str
    vector: list[float] | None
    """None where the service makes it, or none is wanted"""


class AzureSearch:
    """Searches indexes of search services."""

    def __init__(self, dialer: Dialer, services: SearchServices, search_s: float) -> None:
        self._dialer = dialer
        self._services = services
        self._search_s = search_s

    async def search(
        self, asker: Asker, said: SearchParameters, query: Query, count: int
    ) -> list[Document]:
        """What one query finds, the best first.

        Raises SearchFailed, IndexNotFound, DataSourceInvalid, and OutboundAccessDenied where the
        account's own list does not allow the host.
        """
        target = endpoint_of(said.endpoint)
        header = await self._services.opening(said.authentication, target, asker)
        index = quote(said.index_name, safe="")
        path = f"/indexes/{index}/docs/search?api-version={API_VERSION}"
        body = msgspec.json.encode(_body(said, query, count))
        status, answer = await self.post(asker, target, path, header, body)
        if status == HTTPStatus.NOT_FOUND:
            raise IndexNotFound(said.index_name)
        if status not in ANSWERED:
            raise _refused(status, answer)
        try:
            return [_document(each, said.fields, query.text) for each in _found(answer)]
        except RecursionError:
            raise _no_service() from None

    async def post(
        self, asker: Asker, target: Target, path: str, header: tuple[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Status and body of an answer; nothing is kept open. Raises as `search`."""
        self._services.require_safe(target)
        errand = Errand("data_source", asker.account_id)
        ca_file = self._services.ca_file(target)
        connector = dialer_connector(self._dialer, target, lambda: errand, ca_file=ca_file)
        client = HttpClient(connector, host=target.host_header, keep_alive=False)
        headers = [
            header,
            ("content-type", "application/json"),
            ("user-agent", f"linarite/{__version__}"),
            ("accept-encoding", "identity"),
        ]
        wait_s = self._search_s
        try:
            async with asyncio.timeout(wait_s):  # all of it: it could come byte by byte
                answer = await client.send(
                    "POST", path, headers, body, first_byte_s=wait_s, idle_s=wait_s
                )
                return answer.status, await answer.read(ANSWER_BYTES_MAX)
        except TimeoutError:
            raise SearchFailed(
                f"{target.host_header} has not answered within {wait_s:g} seconds "
                "(data_sources.search_s).",
                HTTPStatus.FAILED_DEPENDENCY,
            ) from None
        except EgressRefused as refused:
            if refused.rule == "allowedFqdnList":
                raise OutboundAccessDenied(refused.message) from None
            raise SearchFailed(refused.message, HTTPStatus.FAILED_DEPENDENCY) from None
        except (OSError, HttpClientError) as problem:
            why = problem.__cause__ or problem
            raise SearchFailed(
                f"{target.host_header} can't be reached: {why or type(problem).__name__}",
                HTTPStatus.FAILED_DEPENDENCY,
            ) from None
        finally:
            await client.close()


def endpoint_of(told: str) -> Target:
    """Where a service is. Raises DataSourceInvalid."""
    try:
        target = target_of(told)
    except EgressRefused:
        raise DataSourceInvalid([f"{AT}/endpoint: Input should be a valid URL"]) from None
    if target.path not in {"", "/"}:
        raise DataSourceInvalid(
            [
                f"{AT}/endpoint: Input should be a URL without a path: https://NAME.search.windows.net"
            ]
        )
    return target


def require_combined(said: SearchParameters) -> None:
    """What one parameter takes of another. Raises DataSourceInvalid."""
    kind = said.query_type or "simple"
    problems: list[str] = []
    if kind in SEMANTIC and not said.semantic_configuration:
        problems.append(f"{AT}/semantic_configuration: Field required where query_type is '{kind}'")
    if kind in WITH_VECTORS and said.embedding_dependency is None:
        problems.append(f"{AT}/embedding_dependency: Field required where query_type is '{kind}'")
    if kind in WITH_VECTORS and not said.fields.vector_fields:
        problems.append(
            f"{AT}/fields_mapping/vector_fields: Field required where query_type is '{kind}'"
        )
    if problems:
        raise DataSourceInvalid(problems)


def _body(said: SearchParameters, query: Query, count: int) -> dict[str, Any]:
    kind = said.query_type or "simple"
    body: dict[str, Any] = {"top": count, "count": False}
    if said.filter:
        body["filter"] = said.filter
    if kind != "vector":
        body |= {"search": query.text, "queryType": "simple"}
        if said.fields.content_fields:
            body["searchFields"] = ",".join(
                [*said.fields.content_fields, *filter(None, [said.fields.title_field])]
            )
    if kind in SEMANTIC:
        body |= {"queryType": "semantic", "semanticConfiguration": said.semantic_configuration}
        body.pop("searchFields", None)
    if kind in WITH_VECTORS:
        vector = {"kind": "text", "text": query.text}
        if query.vector is not None:
            vector = {"kind": "vector", "vector": query.vector}
        fields = ",".join(said.fields.vector_fields or [])
        body["vectorQueries"] = [{**vector, "fields": fields, "k": count}]
    return body


def _found(answer: bytes) -> list[dict[str, Any]]:
    try:
        return msgspec.convert(msgspec.json.decode(answer)["value"], list[dict[str, Any]])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _no_service() from None


def _no_service() -> SearchFailed:
    return SearchFailed(
        "what answers there is no Azure AI Search service.", HTTPStatus.FAILED_DEPENDENCY
    )


def _refused(status: int, answer: bytes) -> SearchFailed:
    """What a service says of a failure, in its own words."""
    try:
        told = str(msgspec.json.decode(answer)["error"]["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        told = "no reason was given."
    at_fault = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    passing = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT}
    return SearchFailed(
        f"Azure Search Error: {status}: {told[:TOLD_CHARACTERS_MAX]}",
        HTTPStatus.BAD_REQUEST if at_fault and not passing else HTTPStatus.FAILED_DEPENDENCY,
    )


def _document(found: dict[str, Any], fields: FieldsMapping, query: str) -> Document:
    reranked = found.get("@search.rerankerScore")
    return Document(
        content=_content(found, fields),
        title=_text(found, fields.title_field, TITLE),
        url=_text(found, fields.url_field, URL),
        filepath=_text(found, fields.filepath_field, FILEPATH),
        chunk_id=_text(found, None, CHUNK_ID),
        queries=(query,),
        score=_number(found.get("@search.score")) or 0.0,
        rerank_score=_number(reranked),
    )


def _content(found: dict[str, Any], fields: FieldsMapping) -> str:
    names = fields.content_fields or [each for each in CONTENT if found.get(each)][:1]
    separator = fields.content_fields_separator or "\n"
    return separator.join(str(found[each]) for each in names if found.get(each) is not None)


def _text(found: dict[str, Any], name: str | None, usual: Sequence[str]) -> str | None:
    for each in [name] if name else usual:
        value = found.get(each)
        if value is not None and not isinstance(value, dict | list):
            return str(value)
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
