"""What is asked about vector stores, checked as the service checks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from linarite.dataplane.parts.checks import check_metadata, in_range, one_of
from linarite.dataplane.parts.decode import decode, unknown_parameter
from linarite.dataplane.parts.searching import (
    QUERIES_MAX,
    QUERY_CHARACTERS_MAX,
    RESULTS_USUAL,
    RankingOptions,
    Wanted,
    search_ask,
)
from linarite.domain.errors import InvalidRequest
from linarite.domain.vector_store import Chunking, NewStoreFile
from linarite.files.keeper import owner_of
from linarite.vector_stores.keeper import DAYS, NewStore

if TYPE_CHECKING:
    from linarite.dataplane.call import Call
    from linarite.vector_stores.search import SearchAsk

Value = str | int | float | bool
AskT = TypeVar("AskT")

FILES_MAX = 500
ATTRIBUTES_MAX, ATTRIBUTE_KEY_MAX, ATTRIBUTE_VALUE_MAX = 16, 64, 512
CHUNK_TOKENS = (100, 4096)
DAYS_BOUNDS = (1, 365)
NAME_MAX = 256
RANKERS = ("auto", "default-2024-11-15", "none")


class ExpiresAfter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a store expires."""

    anchor: str
    days: int


class StaticChunking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How large chunks are."""

    max_chunk_size_tokens: int
    chunk_overlap_tokens: int


class ChunkingStrategy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a file is cut."""

    type: str
    static: StaticChunking | None = None


class StoreAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that makes a store."""

    name: str | None = None
    description: str | None = None
    file_ids: list[str] = []
    expires_after: ExpiresAfter | None = None
    chunking_strategy: ChunkingStrategy | None = None
    metadata: dict[str, str] | None = None


class ChangeAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that changes one."""

    name: str | msgspec.UnsetType | None = msgspec.UNSET
    expires_after: ExpiresAfter | msgspec.UnsetType | None = msgspec.UNSET
    metadata: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET


class FileAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that brings a file into a store."""

    file_id: str
    attributes: dict[str, Value] | None = None
    chunking_strategy: ChunkingStrategy | None = None


class AttributesAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that changes a file's attributes."""

    attributes: dict[str, Value] | None


class BatchAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that brings many files into a store."""

    file_ids: list[str] | None = None
    files: list[FileAsk] | None = None
    attributes: dict[str, Value] | None = None
    chunking_strategy: ChunkingStrategy | None = None


class QueryAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a search."""

    query: str | list[str]
    rewrite_query: bool = False
    max_num_results: int = RESULTS_USUAL
    filters: dict[str, Any] | None = None
    ranking_options: RankingOptions | None = None


_store_decoder = msgspec.json.Decoder(StoreAsk)
_change_decoder = msgspec.json.Decoder(ChangeAsk)
_file_decoder = msgspec.json.Decoder(FileAsk)
_attributes_decoder = msgspec.json.Decoder(AttributesAsk)
_batch_decoder = msgspec.json.Decoder(BatchAsk)
_query_decoder = msgspec.json.Decoder(QueryAsk)


def read_store(call: Call, body: bytes) -> tuple[NewStore, list[NewStoreFile]]:
    """The store that is asked for, and its first files. Raises InvalidRequest."""
    ask = _read(_store_decoder, body or b"{}")
    check_metadata(ask.metadata)
    _check_name(ask.name)
    _check_count("file_ids", len(ask.file_ids))
    new = NewStore(
        account_id=call.account_id,
        owner=owner_of(call.principal),
        name=ask.name or "",
        description=ask.description,
        metadata=ask.metadata,
        expires_days=_days(ask.expires_after),
    )
    chunking = _chunking(ask.chunking_strategy)
    return new, [_new_file(call, each, {}, chunking) for each in ask.file_ids]


def read_change(body: bytes) -> dict[str, Any]:
    """The fields of a store's body that shall change. Raises InvalidRequest."""
    ask = _read(_change_decoder, body or b"{}")
    told: dict[str, Any] = {}
    if ask.name is not msgspec.UNSET:
        _check_name(ask.name)
        told["name"] = ask.name or ""
    if ask.metadata is not msgspec.UNSET:
        check_metadata(ask.metadata)
        told["metadata"] = ask.metadata or {}
    if ask.expires_after is not msgspec.UNSET:
        told[DAYS] = _days(ask.expires_after)
    return told


def read_file(call: Call, body: bytes) -> list[NewStoreFile]:
    """The file that shall come in. Raises InvalidRequest."""
    ask = _read(_file_decoder, body)
    return [_asked_file(call, ask)]


def read_attributes(body: bytes) -> dict[str, Value]:
    """The attributes that a file shall have. Raises InvalidRequest."""
    return _checked(_read(_attributes_decoder, body).attributes)


def read_batch(call: Call, body: bytes) -> list[NewStoreFile]:
    """The files that shall come in. Raises InvalidRequest."""
    ask = _read(_batch_decoder, body)
    if (ask.file_ids is None) == (ask.files is None):
        raise InvalidRequest("Exactly one of 'file_ids' and 'files' must be given.", param="files")
    if ask.files is not None:
        _check_count("files", len(ask.files), least=1)
        return [_asked_file(call, each) for each in ask.files]
    ids = ask.file_ids or []
    _check_count("file_ids", len(ids), least=1)
    attributes, chunking = _checked(ask.attributes), _chunking(ask.chunking_strategy)
    return [_new_file(call, each, attributes, chunking) for each in ids]


def read_query(body: bytes) -> SearchAsk:
    """What is looked for. Raises InvalidRequest."""
    ask = _read(_query_decoder, body)
    queries = (ask.query,) if isinstance(ask.query, str) else tuple(ask.query)
    if not 1 <= len(queries) <= QUERIES_MAX or not all(each.strip() for each in queries):
        raise InvalidRequest(
            f"Invalid 'query': a text or 1 to {QUERIES_MAX} of them, none of them empty.",
            param="query",
            code="invalid_value",
        )
    if any(len(each) > QUERY_CHARACTERS_MAX for each in queries):
        raise InvalidRequest(
            f"Invalid 'query': at most {QUERY_CHARACTERS_MAX} characters.",
            param="query",
            code="string_above_max_length",
        )
    return search_ask(
        Wanted(queries, ask.max_num_results, ask.ranking_options, ask.filters), RANKERS
    )


def _read(decoder: msgspec.json.Decoder[AskT], body: bytes) -> AskT:
    # What is misspelt is refused: a search whose `filter` was ignored would find too much.
    return decode(decoder, body, unknown_parameter)


def _asked_file(call: Call, ask: FileAsk) -> NewStoreFile:
    return _new_file(call, ask.file_id, _checked(ask.attributes), _chunking(ask.chunking_strategy))


def _new_file(
    call: Call, file_id: str, attributes: dict[str, Value], chunking: Chunking
) -> NewStoreFile:
    assert call.principal is not None  # noqa: S101 - whoever asks has been let in
    return NewStoreFile(
        file_id=file_id,
        filename="",
        attributes=attributes,
        chunking=chunking,
        maker=call.principal,
    )


def _chunking(strategy: ChunkingStrategy | None) -> Chunking:
    if strategy is None or strategy.type == "auto":
        return Chunking()
    one_of("chunking_strategy.type", strategy.type, ("auto", "static"))
    static = strategy.static
    if static is None:
        raise InvalidRequest(
            "Missing required parameter: 'chunking_strategy.static'.",
            param="chunking_strategy.static",
            code="missing_required_parameter",
        )
    name = "chunking_strategy.static"
    in_range(f"{name}.max_chunk_size_tokens", static.max_chunk_size_tokens, *CHUNK_TOKENS)
    half = static.max_chunk_size_tokens // 2
    in_range(f"{name}.chunk_overlap_tokens", static.chunk_overlap_tokens, 0, half)
    return Chunking(static.max_chunk_size_tokens, static.chunk_overlap_tokens)


def _checked(attributes: dict[str, Value] | None) -> dict[str, Value]:
    given = attributes or {}
    fits = len(given) <= ATTRIBUTES_MAX and all(
        len(key) <= ATTRIBUTE_KEY_MAX
        and (not isinstance(value, str) or len(value) <= ATTRIBUTE_VALUE_MAX)
        for key, value in given.items()
    )
    if not fits:
        raise InvalidRequest(
            f"Invalid 'attributes': at most {ATTRIBUTES_MAX}, with keys of at most "
            f"{ATTRIBUTE_KEY_MAX} and texts of at most {ATTRIBUTE_VALUE_MAX} characters.",
            param="attributes",
            code="invalid_value",
        )
    return given


def _days(expiry: ExpiresAfter | None) -> int:
    if expiry is None:
        return 0
    if expiry.anchor != "last_active_at":
        raise InvalidRequest(
            "'expires_after.anchor' must be 'last_active_at'.", param="expires_after.anchor"
        )
    in_range("expires_after.days", expiry.days, *DAYS_BOUNDS)
    return expiry.days


def _check_name(name: str | None) -> None:
    if name is not None and len(name) > NAME_MAX:
        raise InvalidRequest(
            f"Invalid 'name': at most {NAME_MAX} characters.",
            param="name",
            code="string_above_max_length",
        )


def _check_count(name: Literal["file_ids", "files"], count: int, least: int = 0) -> None:
    if not least <= count <= FILES_MAX:
        raise InvalidRequest(
            f"Invalid '{name}': between {least} and {FILES_MAX} files at a time.",
            param=name,
            code="invalid_value",
        )
