"""Requests to llama.cpp's HTTP interface on the unix socket, and what its refusals mean."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from linarite.domain.engine import ON_BEHALF_OF
from linarite.domain.errors import (
    ContextLengthExceeded,
    EngineFailed,
    InvalidRequest,
    LinariteError,
    RequestTimedOut,
    ServiceUnavailable,
)
from linarite.engines.http_client import (
    ConnectError,
    ConnectionLost,
    DeadlinePassed,
    HttpClient,
    HttpClientError,
    unix_connector,
)
from linarite.engines.llamacpp.prompt_slots import PromptSlots

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.engines.http_client import Response
    from linarite.engines.llamacpp.options import LlamacppOptions

_JSON = (("content-type", "application/json"),)
_REFUSED = 400
_UNAVAILABLE = 503
_REPLY_BYTES_MAX = 256 * 1024 * 1024
_ERROR_BYTES_MAX = 1024 * 1024

ReplyT = TypeVar("ReplyT")


class EngineError(msgspec.Struct, frozen=True):
    """llama.cpp's error object."""

    message: str = ""
    type: str = ""
    n_prompt_tokens: int = 0
    n_ctx: int = 0


class ErrorReply(msgspec.Struct, frozen=True):
    """The body of a refusal; also an event of a stream that breaks off."""

    error: EngineError = EngineError()


class EngineRefusal(LinariteError):
    """The engine answered with an error instead of an answer."""

    def __init__(self, status: int, error: EngineError) -> None:
        """Keep what it said; its words never reach a client, for they may quote a prompt."""
        super().__init__(f"The engine answered with status {status}.")
        self.status = status
        self.error = error

    def as_shown(self) -> LinariteError:
        """What the caller of the API is told."""
        if self.error.type == "exceed_context_size_error":
            return ContextLengthExceeded(self.error.n_ctx, self.error.n_prompt_tokens)
        if self.status == _UNAVAILABLE:
            return ServiceUnavailable("the engine is not ready")
        if "Jinja Exception" in self.error.message:
            return InvalidRequest(
                "The model's chat template does not accept these messages. Check their roles, "
                "their order and that they have content.",
                param="messages",
            )
        if "invalid tokens" in self.error.message:
            return InvalidRequest("The prompt contains token ids that this model does not have.")
        if self.error.type in {"invalid_request_error", "not_supported_error"}:
            return InvalidRequest("The model does not accept this request.")
        return EngineFailed("The model could not process this request.")


class SocketClient:
    """Talks to one engine process. A connection serves one request, as after a stream anyway."""

    def __init__(self, socket_path: str, options: LlamacppOptions, connections_max: int) -> None:
        self._options = options
        self._http = HttpClient(
            unix_connector(socket_path),
            host="localhost",
            connections_max=connections_max,
            keep_alive=False,
        )
        # A request of several choices takes several of the engine's slots. Who waits for one waits
        # here, where no deadline runs yet.
        self._slots = PromptSlots(options.parallel_requests)

    async def ask(self, path: str, body: dict[str, Any], reply: type[ReplyT]) -> ReplyT:
        """Post and return the decoded answer. Raises EngineRefusal and HttpClientError."""
        response = await self._http.send(
            "POST", path, _JSON, msgspec.json.encode(body), **self._deadlines()
        )
        return await _decoded(response, reply)

    async def look(self, path: str, reply: type[ReplyT], *, deadline_s: float) -> ReplyT:
        """Get and return the decoded answer. Raises EngineRefusal and HttpClientError."""
        response = await self._http.send(
            "GET", path, (), b"", first_byte_s=deadline_s, idle_s=deadline_s
        )
        return await _decoded(response, reply)

    async def read_text(self, path: str, *, deadline_s: float) -> str:
        """Get what is no JSON. Raises EngineRefusal and HttpClientError."""
        response = await self._http.send(
            "GET", path, (), b"", first_byte_s=deadline_s, idle_s=deadline_s
        )
        if response.status >= _REFUSED:
            raise await _refusal(response)
        return (await response.read(_REPLY_BYTES_MAX)).decode("utf-8", "replace")

    async def stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        """Wait for a free slot, post, and yield the events of the answer.

        Closing the generator closes the connection; the engine then stops at its next token or
        prompt batch. Raises EngineRefusal and HttpClientError.
        """
        async with self._slots.held(ON_BEHALF_OF.get(), body) as placed:
            sent = msgspec.json.encode(body | placed)
            response = await self._http.send("POST", path, _JSON, sent, **self._deadlines())
            if response.status >= _REFUSED:
                raise await _refusal(response)
            async with aclosing(response.events()) as events:
                async for event in events:
                    yield event

    def _deadlines(self) -> dict[str, float]:
        return {"first_byte_s": self._options.first_byte_s, "idle_s": self._options.idle_s}

    async def close(self) -> None:
        """Close every connection; what runs on them ends with ConnectionLost."""
        await self._http.close()


def failure_of(error: HttpClientError, *, began: bool) -> LinariteError:
    """What the caller is told when the engine is gone, silent or garbled."""
    if isinstance(error, DeadlinePassed):
        return RequestTimedOut("The model did not answer in time.")
    if isinstance(error, (ConnectError, ConnectionLost)) and not began:
        return ServiceUnavailable("the engine of this deployment is restarting")
    return EngineFailed("The engine broke off while answering. Please try again.")


async def _decoded(response: Response, reply: type[ReplyT]) -> ReplyT:
    if response.status >= _REFUSED:
        raise await _refusal(response)
    body = await response.read(_REPLY_BYTES_MAX)
    try:
        return msgspec.json.decode(body, type=reply)
    except msgspec.MsgspecError as error:
        raise EngineFailed("The engine gave an answer that cannot be read.") from error


async def _refusal(response: Response) -> EngineRefusal:
    body = await response.read(_ERROR_BYTES_MAX)
    return EngineRefusal(response.status, error_in(body))


def error_in(body: bytes) -> EngineError:
    """The error of a refusal's body or of a stream's last event; an empty one if unreadable."""
    try:
        return msgspec.json.decode(body, type=ErrorReply).error
    except msgspec.MsgspecError:
        return EngineError()
