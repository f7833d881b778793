"""A model at the other end: messages out, pieces of its answer back."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.cli.chat.refusals import no_answer, no_stream, refusal_of, refused_limit
from linarite.cli.connection import connector_to
from linarite.domain.errors import SetupError
from linarite.engines.http_client import HttpClient, HttpClientError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.cli.chat.endpoint import Endpoint
    from linarite.engines.http_client import Response

FIRST_BYTE_S = 300.0
"""a model may have to be loaded first"""
IDLE_S = 120.0
BODY_BYTES_MAX = 4 * 1024 * 1024
OK = 200


class Sampling(msgspec.Struct, frozen=True):
    """How answers are to be made."""

    temperature: float | None = None
    max_tokens: int | None = None
    wants_usage: bool = False


class Usage(msgspec.Struct, frozen=True):
    """Tokens, as the endpoint counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Piece(msgspec.Struct, frozen=True):
    """What is new in an answer."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None


class Delta(msgspec.Struct, frozen=True):
    """The wire's part of a message."""

    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """The wire's choice."""

    delta: Delta = Delta()
    finish_reason: str | None = None


class Chunk(msgspec.Struct, frozen=True):
    """The wire's event."""

    choices: list[Choice] = []
    usage: Usage | None = None
    error: msgspec.Raw = msgspec.Raw()


class ListedModel(msgspec.Struct, frozen=True):
    """An entry of the list of models."""

    id: str


class ModelList(msgspec.Struct, frozen=True):
    """The list of models."""

    data: list[ListedModel]


class ChatModel:
    """Sends conversations to one endpoint. Every method raises LinariteError for a person."""

    def __init__(self, endpoint: Endpoint, sampling: Sampling) -> None:
        self.endpoint = endpoint
        self._sampling = sampling
        self._client = HttpClient(
            connector_to(endpoint.target, endpoint.ca_file), host=endpoint.target.host_header
        )
        self._limit_field = "max_tokens"

    async def name(self) -> str:
        """The deployment or model; where none was named, the only one that there is."""
        if self.endpoint.deployment is None:
            names = await self._listed_models()
            if len(names) != 1:
                there = ", ".join(names) or "none"
                raise SetupError(
                    f"Which model? Name it: linarite chat MODEL. {self.endpoint.origin} has: "
                    f"{there}."
                )
            self.endpoint = msgspec.structs.replace(self.endpoint, deployment=names[0])
        return self.endpoint.deployment or ""

    async def answer(self, messages: list[dict[str, str]]) -> AsyncGenerator[Piece, None]:
        """Stream an answer; closing the generator early stops it at the other end too."""
        name = await self.name()
        response = await self._ask(name, messages)
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            response.close()
            raise no_stream(self.endpoint)
        try:
            async with aclosing(response.events()) as events:
                async for data in events:
                    for piece in pieces_of(data, self.endpoint):
                        yield piece
        except HttpClientError as problem:
            raise no_answer(self.endpoint, problem) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _ask(self, name: str, messages: list[dict[str, str]]) -> Response:
        """Send the question. Newer models want the limit under another name: then once more."""
        while True:
            body = self._body(name, messages)
            response = await self._send("POST", self.endpoint.chat_path(name), body)
            if response.status == OK:
                return response
            reply = await self._read(response)
            if self._limit_field in body and refused_limit(reply, self._limit_field):
                self._limit_field = "max_completion_tokens"
                continue
            raise refusal_of(self.endpoint, response.status, response.headers, reply)

    def _body(self, name: str, messages: list[dict[str, str]]) -> dict[str, Any]:
        body: dict[str, Any] = {"messages": messages, "stream": True}
        if self.endpoint.dialect == "openai":
            body["model"] = name
        if self._sampling.temperature is not None:
            body["temperature"] = self._sampling.temperature
        if self._sampling.max_tokens is not None:
            body[self._limit_field] = self._sampling.max_tokens
        if self._sampling.wants_usage:
            body["stream_options"] = {"include_usage": True}
        return body

    async def _listed_models(self) -> list[str]:
        response = await self._send("GET", self.endpoint.models_path, None)
        reply = await self._read(response)
        if response.status != OK:
            raise refusal_of(self.endpoint, response.status, response.headers, reply)
        try:
            return [model.id for model in msgspec.json.decode(reply, type=ModelList).data]
        except msgspec.DecodeError:
            raise no_stream(self.endpoint) from None

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Response:
        try:
            return await self._client.send(
                method,
                path,
                self.endpoint.headers,
                b"" if body is None else msgspec.json.encode(body),
                first_byte_s=FIRST_BYTE_S,
                idle_s=IDLE_S,
            )
        except HttpClientError as problem:
            raise no_answer(self.endpoint, problem) from None

    async def _read(self, response: Response) -> bytes:
        try:
            return await response.read(BODY_BYTES_MAX)
        except HttpClientError as problem:
            raise no_answer(self.endpoint, problem) from None


def pieces_of(data: bytes, endpoint: Endpoint) -> list[Piece]:
    """What an event says. Raises SetupError when it is an error, or no chunk of a chat."""
    try:
        chunk = msgspec.json.decode(data, type=Chunk)
    except msgspec.DecodeError:
        raise no_stream(endpoint) from None
    if bytes(chunk.error) not in {b"", b"null"}:
        raise refusal_of(endpoint, None, {}, data)
    pieces = [
        Piece(
            text=choice.delta.content or choice.delta.refusal or "",
            reasoning=choice.delta.reasoning_content or "",
            finish_reason=choice.finish_reason,
        )
        for choice in chunk.choices[:1]
    ]
    return [*pieces, Piece(usage=chunk.usage)] if chunk.usage else pieces
