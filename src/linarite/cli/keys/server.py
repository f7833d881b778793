"""The running server's own answer about its account's keys: its control plane is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from linarite.cli.connection import connector_to
from linarite.domain.errors import SetupError
from linarite.domain.resource import AccountKeys
from linarite.domain.target import target_of
from linarite.engines.http_client import HttpClient, HttpClientError

if TYPE_CHECKING:
    from linarite.cli.serving_file import ServingFile

API_VERSION = "2024-10-01"
ANSWER_S = 30.0
BODY_BYTES_MAX = 65_536
OK = 200


class ArmError(msgspec.Struct, frozen=True):
    """What Azure Resource Manager says when it refuses."""

    message: str = ""


class Refused(msgspec.Struct, frozen=True):
    """A refusal's body."""

    error: ArmError


def ask_server(serving: ServingFile, *, new: str | None = None) -> AccountKeys:
    """Both keys of the account that settings declare, the one named `new` replaced before.

    Azure's `Accounts_ListKeys` and `Accounts_RegenerateKey`. Raises SetupError when the server
    does not answer, or refuses.
    """
    try:
        status, body = asyncio.run(_ask(serving, new))
    except (OSError, HttpClientError) as problem:
        raise SetupError(
            f"The server at {serving.endpoint} can't be asked for its keys: {problem}."
        ) from None
    if status != OK:
        raise SetupError(f"The server at {serving.endpoint} answered {status}: {_said(body)}")
    return msgspec.json.decode(body, type=AccountKeys)


async def _ask(serving: ServingFile, new: str | None) -> tuple[int, bytes]:
    target = target_of(serving.endpoint)
    client = HttpClient(connector_to(target, serving.ca_file), host=target.host_header)
    action, asked = ("regenerateKey", {"keyName": new}) if new else ("listKeys", {})
    headers = [
        ("authorization", f"Bearer {serving.management_key}"),
        ("content-type", "application/json"),
    ]
    try:
        response = await client.send(
            "POST",
            f"{serving.account_id}/{action}?api-version={API_VERSION}",
            headers,
            msgspec.json.encode(asked),
            first_byte_s=ANSWER_S,
            idle_s=ANSWER_S,
        )
        return response.status, await response.read(BODY_BYTES_MAX)
    finally:
        await client.close()


def _said(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=Refused).error.message
    except msgspec.DecodeError:
        return "no answer of a control plane's"
