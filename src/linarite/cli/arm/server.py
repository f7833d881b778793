"""A server's control plane: requests to it, with its key, and what it refuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from linarite.cli.arm.refusals import ServerRefused, refused
from linarite.cli.connection import connector_to
from linarite.domain.errors import SetupError
from linarite.domain.target import target_of
from linarite.engines.http_client import HttpClient, HttpClientError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COGNITIVE_SERVICES_VERSION = "2025-09-01"
RESOURCES_VERSION = "2024-11-01"
SUBSCRIPTIONS_VERSION = "2022-12-01"
ANSWER_S = 120.0
BODY_BYTES_MAX = 64 * 1024 * 1024
ERRORS_FROM = 400
PATH_CHARACTERS = "/:@!$&'()*+,;=-._~"


class Address(msgspec.Struct, frozen=True):
    """Which server, and what it is known to hold."""

    endpoint: str
    key: str
    ca_file: str | None = None
    account_id: str = ""
    """the account that its settings declare; "" where that is not known"""

    def __repr__(self) -> str:
        """Hide the key."""
        return f"Address({self.endpoint})"


class Reply(msgspec.Struct, frozen=True):
    """An answer that is no refusal."""

    status: int
    headers: dict[str, str]
    body: Any
    """decoded; None where there was none"""


class Server:
    """A control plane, for the length of one command.

    Every method raises ServerRefused with what the server says, and SetupError when it is not
    reached.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        target = target_of(address.endpoint)
        self._base = target.path.partition("?")[0].rstrip("/")
        self._client = HttpClient(connector_to(target, address.ca_file), host=target.host_header)

    async def close(self) -> None:
        """Leave the server."""
        await self._client.close()

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """What is there."""
        return (await self.send("GET", path)).body

    async def every(
        self, path: str, *, version: str = COGNITIVE_SERVICES_VERSION, **query: str
    ) -> list[dict[str, Any]]:
        """All items of a collection, page after page."""
        return await self.first(None, path, version=version, query=query)

    async def first(
        self, count: int | None, path: str, *, version: str, query: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """So many items of a collection, and no more pages than that takes; None: all."""
        reply = await self.send("GET", path, version=version, query=query)
        items: list[dict[str, Any]] = list(reply.body["value"])
        while following := reply.body.get("nextLink"):
            if count is not None and len(items) >= count:
                break
            reply = await self.follow(following)
            items += reply.body["value"]
        return items[:count]

    async def send(
        self,
        method: str,
        path: str,
        *,
        version: str = COGNITIVE_SERVICES_VERSION,
        query: Mapping[str, str] | None = None,
        body: object = None,
        only_new: bool = False,
    ) -> Reply:
        """Ask for something by its path; `only_new` refuses to change what is there already."""
        asked = urlencode({"api-version": version, **(query or {})}, safe="$")
        more = [("if-none-match", "*")] if only_new else []
        address = f"{quote(path, safe=PATH_CHARACTERS)}?{asked}"
        return await self._exchange(method, address, body, more)

    async def create(self, path: str, body: object, *, taken: str) -> Reply:
        """Put there what is new. Raises SetupError with `taken` where something is already."""
        try:
            return await self.send("PUT", path, body=body, only_new=True)
        except ServerRefused as refusal:
            if refusal.status != HTTPStatus.PRECONDITION_FAILED:
                raise
            raise SetupError(taken) from None

    async def follow(self, link: str) -> Reply:
        """GET what a link of the server's points at.

        It is asked of this server, whatever host the link names: the key goes nowhere else.
        """
        parts = urlsplit(link)
        path = parts.path.removeprefix(self._base)
        return await self._exchange("GET", f"{path}?{parts.query}", None)

    async def _exchange(
        self, method: str, path: str, body: object, more: Sequence[tuple[str, str]] = ()
    ) -> Reply:
        own = [("authorization", f"Bearer {self.address.key}"), ("user-agent", "linarite")]
        headers = [*own, *more]
        content = b""
        if body is not None:
            headers.append(("content-type", "application/json"))
            content = msgspec.json.encode(body)
        try:
            response = await self._client.send(
                method,
                f"{self._base}{path}",
                headers,
                content,
                first_byte_s=ANSWER_S,
                idle_s=ANSWER_S,
            )
            answered = await response.read(BODY_BYTES_MAX)
        except (OSError, HttpClientError) as problem:
            raise SetupError(
                f"The server at {self.address.endpoint} can't be reached: {problem}. Look whether "
                "it runs there, and at --endpoint and --ca-file."
            ) from None
        if response.status >= ERRORS_FROM:
            raise refused(response.status, answered, self.address.endpoint)
        return Reply(response.status, response.headers, self._decoded(answered))

    def _decoded(self, answered: bytes) -> Any:  # noqa: ANN401 - JSON
        if not answered:
            return None
        try:
            return msgspec.json.decode(answered)
        except msgspec.DecodeError:
            raise SetupError(
                f"{self.address.endpoint} does not answer as a control plane does. Is it the "
                "address of a Linarite server, without any path?"
            ) from None
