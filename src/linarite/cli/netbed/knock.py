"""Asks a server for its models, from the host on which it runs, and prints what it is told.

`python -m linarite.cli.netbed.knock`: a wish on standard input, answers on standard output.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from linarite.cli.connection import connector_to
from linarite.cli.netbed.doors import WAIT_S, Answer, Wish
from linarite.domain.errors import LinariteError
from linarite.domain.target import target_of
from linarite.engines.http_client import HttpClient, HttpClientError

BODY_BYTES_MAX = 1_000_000


class _Refusal(msgspec.Struct, frozen=True):
    message: str = ""


class _Refused(msgspec.Struct, frozen=True):
    error: _Refusal = msgspec.field(default_factory=_Refusal)


async def knock(wish: Wish) -> list[Answer]:
    """Knock at all doors side by side."""
    return await asyncio.gather(*(_knock_at(endpoint, wish) for endpoint in wish.endpoints))


async def _knock_at(endpoint: str, wish: Wish) -> Answer:
    target = target_of(endpoint)
    client = HttpClient(connector_to(target, None), host=target.host_header)
    try:
        async with asyncio.timeout(WAIT_S):
            response = await client.send(
                "GET",
                wish.path,
                [("api-key", wish.key)] if wish.key else [],
                b"",
                first_byte_s=WAIT_S,
                idle_s=WAIT_S,
            )
            body = await response.read(BODY_BYTES_MAX)
    except HttpClientError:
        return Answer(endpoint, says="nobody answers")
    except TimeoutError:
        return Answer(endpoint, says=f"no answer in {WAIT_S:g} s")
    except LinariteError as refused:
        return Answer(endpoint, says=refused.message)
    finally:
        await client.close()
    return Answer(endpoint, response.status, _message_in(body))


def _message_in(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Refused).error.message
    except msgspec.DecodeError:
        return ""


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Wish)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(knock(asked))))
