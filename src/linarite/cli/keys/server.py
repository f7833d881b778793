"""The running server's own answer about its keys."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from linarite.cli.connection import connector_to
from linarite.domain.errors import SetupError
from linarite.domain.resource import AccountKeys
from linarite.domain.target import target_of
from linarite.engines.http_client import HttpClient, HttpClientError
from linarite.web.operator_pages import KEYS_PATH, OPERATOR_KEY_FILE, regenerate_path

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.cli.serving_file import ServingFile

ANSWER_S = 30.0
BODY_BYTES_MAX = 65_536
OK = 200


def ask_server(home: Path, serving: ServingFile, *, new: str | None = None) -> AccountKeys:
    """Both keys of the server whose data lies in `home`, the one named `new` replaced before.

    Raises SetupError when it does not answer.
    """
    try:
        key = (home / OPERATOR_KEY_FILE).read_text(encoding="ascii")
        status, body = asyncio.run(_ask(serving, key, new))
    except (OSError, UnicodeDecodeError, HttpClientError) as problem:
        raise SetupError(
            f"The server at {serving.endpoint} can't be asked for its keys: {problem}."
        ) from None
    if status != OK:
        raise SetupError(
            f"The server at {serving.endpoint} answered {status}. Is it another one than the "
            f"server whose data lies in {home}?"
        )
    return msgspec.json.decode(body, type=AccountKeys)


async def _ask(serving: ServingFile, key: str, new: str | None) -> tuple[int, bytes]:
    target = target_of(serving.endpoint)
    client = HttpClient(connector_to(target, serving.ca_file), host=target.host_header)
    method, path = ("POST", regenerate_path(new)) if new else ("GET", KEYS_PATH)
    headers = [("authorization", f"Bearer {key}")]
    try:
        response = await client.send(
            method, path, headers, b"", first_byte_s=ANSWER_S, idle_s=ANSWER_S
        )
        return response.status, await response.read(BODY_BYTES_MAX)
    finally:
        await client.close()
