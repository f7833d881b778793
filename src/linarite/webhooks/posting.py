"""One attempt to deliver a letter."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from linarite import __version__
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused
from linarite.engines.http_client import HttpClient, HttpClientError, dialer_connector
from linarite.webhooks.signature import signature_headers

if TYPE_CHECKING:
    from linarite.domain.dial import Dialer
    from linarite.domain.outbox import Letter
    from linarite.engines.http_client import Response
    from linarite.webhooks.destination import Destination

ATTEMPT_S = 15.0
"""seconds for an attempt, connecting included: what Standard Webhooks recommends at least"""
TAKEN = range(200, 300)
GONE = 410


class Posted(msgspec.Struct, frozen=True):
    """How an attempt ended."""

    outcome: str
    taken: bool = False
    final: bool = False
    """no further attempt is wanted"""
    retry_after_s: float = 0.0
    """what the other side asks for"""
    alone: bool = False
    """nobody was asked: letters of other accounts may fare otherwise"""


async def posted(dialer: Dialer, destination: Destination, letter: Letter) -> Posted:
    """Send it, signed for this moment. No redirect is followed: the signature is for one host."""
    target = destination.target
    connector = dialer_connector(
        dialer,
        target,
        lambda: Errand(destination.purpose, letter.account_id),
        ca_file=destination.ca_file or None,
    )
    client = HttpClient(connector, host=target.host_header, keep_alive=False)
    body = letter.body.encode()
    headers = [
        ("content-type", "application/json"),
        ("user-agent", f"linarite/{__version__}"),
        *signature_headers(letter.id, int(time.time()), body, destination.secrets),
    ]
    try:
        async with asyncio.timeout(ATTEMPT_S):
            answer = await client.send(
                "POST", target.path, headers, body, first_byte_s=ATTEMPT_S, idle_s=ATTEMPT_S
            )
            answer.close()
    except TimeoutError:
        return Posted(f"no answer within {ATTEMPT_S:g} seconds")
    except EgressRefused as refused:
        return Posted(refused.message, alone=True)
    except HttpClientError as problem:
        why = problem.__cause__
        return Posted(f"{problem.message} {why or ''}".strip())
    finally:
        await client.close()
    return _read(answer)


def _read(answer: Response) -> Posted:
    said = f"answered with status {answer.status}"
    if answer.status in TAKEN:
        return Posted(said, taken=True)
    if answer.status == GONE:
        return Posted(f"{said}: it wants no more", final=True)
    wanted = answer.headers.get("retry-after", "")
    return Posted(said, retry_after_s=float(wanted) if wanted.isdecimal() else 0.0)
