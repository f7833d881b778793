"""Reading `data_sources`: every fault is told, each with its place, in the service's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.data_source import (
    CONTEXTS,
    DOCUMENTS_MAX,
    QUERY_TYPES,
    SearchParameters,
)
from linarite.domain.data_source_errors import DataSourceInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.domain.chat import ChatAsk

Check = Callable[[Any, str], Iterator[str]]
"""yields what is wrong with a value, given its place"""

PROBLEMS_MAX = 20
TEXT_MAX = 10_000
"""characters of any text; Azure tells no bound"""
ELSEWHERE = ("azure_cosmos_db", "azure_ml_index", "elasticsearch", "mongo_db", "pinecone")
"""types that Azure had and that are not searched here"""
NO_ENTRY = "Extra inputs are not permitted"


def text(value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """A string."""
    if not isinstance(value, str):
        yield f"{at}: Input should be a valid string"
    elif len(value) > TEXT_MAX:
        yield f"{at}: String should have at most {TEXT_MAX} characters"


def truth(value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """True or false."""
    if not isinstance(value, bool):
        yield f"{at}: Input should be a valid boolean"


def number(low: int, high: int = 2**31 - 1) -> Check:
    """A whole number in bounds."""

    def check(value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"{at}: Input should be a valid integer"
        elif value < low:
            yield f"{at}: Input should be greater than or equal to {low}"
        elif value > high:
            yield f"{at}: Input should be less than or equal to {high}"

    return check


def one_of(*allowed: str) -> Check:
    """One of some words."""
    *most, last = (f"'{each}'" for each in allowed)

    def check(value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
        if value not in allowed:
            yield f"{at}: Input should be {', '.join(most)} or {last}"

    return check


def many(each: Check) -> Check:
    """A list of such."""

    def check(value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
        if not isinstance(value, list):
            yield f"{at}: Input should be a valid list"
            return
        for index, one in enumerate(cast("list[Any]", value)):
            yield from each(one, f"{at}/{index}")

    return check


def shape(must: Mapping[str, Check], may: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no others; what it may have may be null."""
    known = {**must, **(may or {})}

    def check(value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
        if not isinstance(value, dict):
            yield f"{at}: Input should be a valid dictionary"
            return
        told = cast("dict[str, Any]", value)
        yield from (f"{at}/{name}: Field required" for name in must if name not in told)
        for name, one in told.items():
            if name not in known:
                yield f"{at}/{name[:100]}: {NO_ENTRY}"
            elif name in must or one is not None:
                yield from known[name](one, f"{at}/{name}")

    return check


def tagged(kinds: Mapping[str, tuple[Mapping[str, Check], Mapping[str, Check]]]) -> Check:
    """An object whose `type` says what else it has."""
    shapes = {
        kind: shape({"type": one_of(kind, kind), **must}, may)
        for kind, (must, may) in kinds.items()
    }
    expected = ", ".join(f"'{kind}'" for kind in kinds)

    def check(value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
        if not isinstance(value, dict):
            yield f"{at}: Input should be a valid dictionary"
            return
        kind = cast("dict[str, Any]", value).get("type")
        if kind is None:
            yield f"{at}: Unable to extract tag using discriminator 'type'"
        elif not isinstance(kind, str) or kind not in shapes:
            yield (
                f"{at}: Input tag '{str(kind)[:100]}' found using 'type' does not match any of "
                f"the expected tags: {expected}"
            )
        else:
            yield from shapes[kind](value, f"{at}/{kind}")

    return check


API_KEY = {"key": text}
ACCESS_TOKEN = {"access_token": text}
AUTHENTICATION = tagged(
    {
        "api_key": (API_KEY, {}),
        "system_assigned_managed_identity": ({}, {}),
        "user_assigned_managed_identity": ({"managed_identity_resource_id": text}, {}),
        "access_token": (ACCESS_TOKEN, {}),
    }
)
EMBEDDING = tagged(
    {
        "deployment_name": ({"deployment_name": text}, {"dimensions": number(1)}),
        "endpoint": (
            {
                "endpoint": text,
                "authentication": tagged(
                    {"api_key": (API_KEY, {}), "access_token": (ACCESS_TOKEN, {})}
                ),
            },
            {"dimensions": number(1)},
        ),
        "integrated": ({}, {}),
    }
)
FIELDS = shape(
    {},
    {
        "title_field": text,
        "url_field": text,
        "filepath_field": text,
        "content_fields": many(text),
        "content_fields_separator": text,
        "vector_fields": many(text),
    },
)
PARAMETERS = shape(
    {"endpoint": text, "index_name": text, "authentication": AUTHENTICATION},
    {
        "top_n_documents": number(1, DOCUMENTS_MAX),
        "in_scope": truth,
        "strictness": number(1, 5),
        "role_information": text,
        "fields_mapping": FIELDS,
        "query_type": one_of(*QUERY_TYPES),
        "semantic_configuration": text,
        "filter": text,
        "embedding_dependency": EMBEDDING,
        "include_contexts": many(one_of(*CONTEXTS)),
        "allow_partial_result": truth,
        "max_search_queries": number(1, 10),
    },
)
SOURCE = tagged({"azure_search": ({"parameters": PARAMETERS}, {})})
NOT_BESIDE = ("logprobs", "top_logprobs", "parallel_tool_calls")
"""what the service takes no longer once there are data sources"""


def read_source(ask: ChatAsk, sources: Sequence[Any]) -> SearchParameters:
    """The one source of a request. Raises DataSourceInvalid with what is wrong."""
    problems = list(islice(_problems(ask, sources), PROBLEMS_MAX))
    if problems:
        raise DataSourceInvalid(problems)
    return msgspec.convert(sources[0]["parameters"], SearchParameters)


def _problems(ask: ChatAsk, sources: Sequence[Any]) -> Iterator[str]:
    at = "/data_sources"
    for name in NOT_BESIDE:
        if getattr(ask, name) is not None:
            yield f"/{name}: {NO_ENTRY}"
    if len(sources) != 1:
        yield f"{at}: List should have at most 1 item after validation, not {len(sources)}"
        return
    source = sources[0]
    if source.get("type") in ELSEWHERE:
        yield (
            f"{at}/0: data sources of the type '{source['type']}' are not searched by this server. "
            "Use 'azure_search': its endpoint is an Azure AI Search service, or this account's own "
            "with a vector store as the index."
        )
        return
    yield from SOURCE(source, f"{at}/0")
