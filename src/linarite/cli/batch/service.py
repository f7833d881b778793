"""An account's files and batches, on `/openai/v1/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import msgspec

from linarite.cli.arm.refusals import refused
from linarite.cli.connection import connector_to
from linarite.domain.errors import SetupError
from linarite.domain.target import target_of
from linarite.engines.http_client import HttpClient, HttpClientError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from linarite.engines.http_client import Response

ANSWER_S = 120.0
ANSWER_BYTES_MAX = 16 * 1024 * 1024
ERRORS_FROM = 400
PAGE = 100


class Service:
    """Every method raises ServerRefused with what the account says, SetupError out of reach."""

    def __init__(self, endpoint: str, key: str, ca_file: str | None) -> None:
        self.endpoint = endpoint
        target = target_of(endpoint)
        path = target.path.partition("?")[0].rstrip("/")
        self._base = f"{path.removesuffix('/openai/v1')}/openai/v1"
        self._headers = [("api-key", key), ("user-agent", "linarite-batch")]
        self._client = HttpClient(connector_to(target, ca_file), host=target.host_header)

    async def close(self) -> None:
        """Leave the server."""
        await self._client.close()

    async def upload(self, file: Path, name: str) -> dict[str, Any]:
        """The new file, for a batch. All of it is in memory meanwhile."""
        mark = uuid4().hex
        shown = name.replace("\\", "_").replace('"', "_").replace("\n", "_").replace("\r", "_")
        head = (
            f'--{mark}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f'--{mark}\r\ncontent-disposition: form-data; name="file"; filename="{shown}"\r\n\r\n'
        )
        body = b"%b%b\r\n--%b--\r\n" % (head.encode(), _content(file), mark.encode())
        return await self._json("POST", "/files", body, f"multipart/form-data; boundary={mark}")

    async def create(self, file_id: str, endpoint: str) -> dict[str, Any]:
        """A new batch."""
        asked = {"input_file_id": file_id, "endpoint": endpoint, "completion_window": "24h"}
        return await self._json("POST", "/batches", msgspec.json.encode(asked), "application/json")

    async def batch(self, batch_id: str) -> dict[str, Any]:
        """A batch as it stands."""
        return await self._json("GET", f"/batches/{quote(batch_id, safe='')}")

    async def cancel(self, batch_id: str) -> dict[str, Any]:
        """The same, being cancelled."""
        return await self._json("POST", f"/batches/{quote(batch_id, safe='')}/cancel")

    async def batches(self, count: int) -> list[dict[str, Any]]:
        """The newest ones."""
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while len(found) < count:
            asked = {"limit": str(min(PAGE, count - len(found)))} | after
            page = await self._json("GET", f"/batches?{urlencode(asked)}")
            found += page["data"]
            if not page["has_more"]:
                break
            after = {"after": page["last_id"]}
        return found

    async def download(self, file_id: str, to: Path) -> int:
        """Write a file's content, piece by piece; how many bytes it was."""
        size = 0
        path = f"/files/{quote(file_id, safe='')}/content"
        response = await self._send("GET", path, b"", [])
        try:
            with to.open("wb") as file:
                async for piece in response.chunks():
                    file.write(piece)
                    size += len(piece)
        except OSError as problem:
            raise SetupError(f"{to} can't be written: {problem.strerror}.") from None
        except HttpClientError as problem:
            raise self._unreached(problem) from None
        return size

    async def _json(
        self, method: str, path: str, body: bytes = b"", content_type: str = ""
    ) -> dict[str, Any]:
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


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise SetupError(f"{file} can't be read: {problem.strerror}.") from None
