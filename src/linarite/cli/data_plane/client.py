"""An account's own paths, `/openai/v1/`: answers, pages, files and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

import msgspec

from linarite.cli.arm.refusals import refused
from linarite.cli.connection import connector_to
from linarite.domain.errors import SetupError
from linarite.domain.target import target_of
from linarite.engines.http_client import HttpClient, HttpClientError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from linarite.engines.http_client import Response

ANSWER_S = 120.0
ANSWER_BYTES_MAX = 16 * 1024 * 1024
ERRORS_FROM = 400
PAGE = 100
JSON = "application/json"
NOT_IN_A_NAME = str.maketrans(dict.fromkeys('\\"\r\n', "_"))


class DataPlane:
    """Every method raises ServerRefused with what the account says, SetupError out of reach."""

    def __init__(self, endpoint: str, credential: tuple[str, str], ca_file: str | None) -> None:
        """`credential` is the header that opens the account."""
        self.endpoint = endpoint
        target = target_of(endpoint)
        path = target.path.partition("?")[0].rstrip("/")
        self._base = f"{path.removesuffix('/openai/v1')}/openai/v1"
        self._headers = [credential, ("user-agent", "linarite-cli")]
        self._client = HttpClient(connector_to(target, ca_file), host=target.host_header)

    async def close(self) -> None:
        """Leave the server."""
        await self._client.close()

    async def ask(
        self, method: str, path: str, body: bytes | dict[str, Any] = b"", content_type: str = ""
    ) -> dict[str, Any]:
        """An answer of JSON; a body that is no bytes is sent as JSON."""
        if isinstance(body, dict):
            body, content_type = msgspec.json.encode(body), JSON
        more = [("content-type", content_type)] if content_type else []
        response = await self._send(method, path, body, more)
        try:
            answered = await response.read(ANSWER_BYTES_MAX)
            return msgspec.json.decode(answered, type=dict[str, Any])
        except (OSError, HttpClientError) as problem:
            raise self._unreached(problem) from None
        except msgspec.DecodeError:
            raise SetupError(
                f"{self.endpoint} does not answer as Azure OpenAI does. Is it the address of an "
                "account, without any path?"
            ) from None

    async def page(self, path: str, after: str | None, size: int = PAGE) -> dict[str, Any]:
        """Some of a list: `data`, `has_more` and the `last_id` that the next ones come after."""
        asked = {"limit": str(size)} | ({"after": after} if after is not None else {})
        return await self.ask("GET", f"{path}?{urlencode(asked)}")

    async def pieces(self, path: str) -> AsyncIterator[bytes]:
        """A content, however long, piece by piece."""
        response = await self._send("GET", path, b"", [])
        try:
            async for piece in response.chunks():
                yield piece
        except HttpClientError as problem:
            raise self._unreached(problem) from None

    async def _send(
        self, method: str, path: str, body: bytes, more: Sequence[tuple[str, str]]
    ) -> Response:
        try:
            response = await self._client.send(
                method,
                f"{self._base}{path}",
                [*self._headers, *more],
                body,
                first_byte_s=ANSWER_S,
                idle_s=ANSWER_S,
            )
            if response.status >= ERRORS_FROM:
                answered = await response.read(ANSWER_BYTES_MAX)
                raise refused(response.status, answered, self.endpoint)
        except (OSError, HttpClientError) as problem:
            raise self._unreached(problem) from None
        return response

    def _unreached(self, problem: Exception) -> SetupError:
        return SetupError(
            f"The account at {self.endpoint} can't be reached: {problem}. Look whether the server "
            "runs, and at --endpoint and --ca-file."
        )


def file_form(name: str, content: bytes, purpose: str) -> tuple[bytes, str]:
    """What `POST /files` takes, a form of parts, and its content type."""
    mark = uuid4().hex
    disposition = "content-disposition: form-data; name"
    head = (
        f'--{mark}\r\n{disposition}="purpose"\r\n\r\n{purpose}\r\n'
        f'--{mark}\r\n{disposition}="file"; filename="{name.translate(NOT_IN_A_NAME)}"\r\n\r\n'
    )
    body = b"%b%b\r\n--%b--\r\n" % (head.encode(), content, mark.encode())
    return body, f"multipart/form-data; boundary={mark}"
