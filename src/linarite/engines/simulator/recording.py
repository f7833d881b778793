"""Answers kept in a folder: one readable file for each request, streams with their times.

A file's name is the request's key, which depends on what a model is asked and not on who asks or
how the answer is transported. No key, token or header is ever in a file.
"""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from linarite.domain.chat import ChatAsk, ChatEvent
from linarite.domain.completion import CompletionAsk, CompletionEvent
from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
from linarite.engines.simulator.json_schema.types import is_list, is_object

FORMAT = 1

Ask = ChatAsk | CompletionAsk | EmbeddingAsk
Event = ChatEvent | CompletionEvent | EmbeddingEvent
EventT = TypeVar("EventT", ChatEvent, CompletionEvent, EmbeddingEvent)

_OPERATIONS: dict[type[Ask], Literal["chat", "completion", "embeddings"]] = {
    ChatAsk: "chat",
    CompletionAsk: "completion",
    EmbeddingAsk: "embeddings",
}

_NOT_IN_KEY = (
    "encoding_format",
    "metadata",
    "model",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "user",
    "user_security_context",
)
"""fields about the caller and the transport; `model` is a deployment's name where the instance's
counts"""


class Moment(msgspec.Struct, array_like=True, frozen=True):
    """An event and when it came, in milliseconds after the request."""

    at_ms: float
    event: msgspec.Raw


class Recording(msgspec.Struct, frozen=True):
    """A request and its whole answer."""

    operation: str
    key: str
    model: str
    recorded_at: str
    streamed: bool
    request: dict[str, Any]
    events: list[Moment]
    format: int = FORMAT


class UnreadableRecordingError(Exception):
    """A file is there but holds no recording; the message names it."""


def described(ask: Ask, model: str) -> tuple[str, str, dict[str, Any]]:
    """Operation, key and request as they are recorded."""
    operation = next(name for kind, name in _OPERATIONS.items() if isinstance(ask, kind))
    request: dict[str, Any] = msgspec.to_builtins(ask)
    for name in _NOT_IN_KEY:
        request.pop(name, None)
    _drop_credentials(request.get("data_sources"))
    hashed = msgspec.json.encode([FORMAT, operation, model, request], order="sorted")
    return operation, sha256(hashed).hexdigest()[:32], request


def _drop_credentials(value: object) -> None:
    """Remove `authentication` wherever it stands in `data_sources`."""
    if is_list(value):
        for item in value:
            _drop_credentials(item)
    elif is_object(value):
        value.pop("authentication", None)
        for item in value.values():
            _drop_credentials(item)


def load(folder: Path, key: str) -> Recording | None:
    """The recording of a request, or None. Raises UnreadableRecordingError."""
    path = folder / f"{key}.json"
    try:
        recording = msgspec.json.decode(path.read_bytes(), type=Recording)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise UnreadableRecordingError(f"{path} is no readable recording: {error}") from error
    if recording.format != FORMAT:
        raise UnreadableRecordingError(f"{path} has format {recording.format}; {FORMAT} is read.")
    return recording


def events_of(recording: Recording, kind: type[EventT]) -> list[tuple[float, EventT]]:
    """Times in milliseconds, and events. Raises UnreadableRecordingError."""
    try:
        return [
            (moment.at_ms, msgspec.json.decode(moment.event, type=kind))
            for moment in recording.events
        ]
    except msgspec.DecodeError as error:
        raise UnreadableRecordingError(
            f"An event of recording {recording.key} is not readable: {error}"
        ) from error


def save(folder: Path, recording: Recording) -> None:
    """Write a recording, whole or not at all.

    A stream that is there already stays when the new answer was not streamed: it tells more.
    Raises OSError.
    """
    path = folder / f"{recording.key}.json"
    if not recording.streamed:
        try:
            present = load(folder, recording.key)
        except UnreadableRecordingError:
            present = None
        if present is not None and present.streamed:
            return
    folder.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=folder, prefix=f".{recording.key}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_readable(recording))
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _readable(recording: Recording) -> bytes:
    """Indented JSON with one event a line, so that a change of a file can be reviewed."""
    head = msgspec.json.encode(msgspec.structs.replace(recording, events=[]))
    opening, closing = msgspec.json.format(head, indent=2).split(b'"events": []', maxsplit=1)
    lines = b",\n    ".join(msgspec.json.encode(moment) for moment in recording.events)
    return opening + b'"events": [\n    ' + lines + b"\n  ]" + closing + b"\n"
