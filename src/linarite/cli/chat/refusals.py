"""What went wrong at the other end, in one line that says what to change."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, cast

import msgspec

from linarite.domain.errors import SetupError
from linarite.engines.http_client import ConnectError, DeadlinePassed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.cli.chat.endpoint import Endpoint
    from linarite.engines.http_client import HttpClientError

QUOTED_MAX = 500
UNAUTHORISED = frozenset((401, 403))
NOT_FOUND = 404
TOO_MANY = 429


def refusal_of(
    endpoint: Endpoint, status: int | None, headers: Mapping[str, str], body: bytes
) -> SetupError:
    """The server's own words, and what helps. `status` is None for an error within a stream."""
    error = error_of(body)
    words = error.get("message") or error.get("detail") or body.decode("utf-8", "replace")
    said = printable(str(words))[:QUOTED_MAX].strip() or "nothing"
    how = f"answered {status}" if status is not None else "broke off"
    advice = advice_on(endpoint, status, headers, error)
    return SetupError(f"{endpoint.origin} {how}: {said} {advice}".rstrip())


def advice_on(
    endpoint: Endpoint, status: int | None, headers: Mapping[str, str], error: Mapping[str, object]
) -> str:
    """What the person at the terminal can do about it; empty where the server's words must do."""
    if status in UNAUTHORISED:
        asking = "Is the key right?" if endpoint.key else "It wants a key."
        return f"{asking} Give it with --key env:NAME or --key-file FILE."
    if status == NOT_FOUND:
        there = table(error.get("innererror")).get("deployments")
        if isinstance(there, list):
            names = ", ".join(str(name) for name in cast("list[object]", there))
            return f"Deployments there: {printable(names) or 'none'}."
        return (
            f"Is '{endpoint.deployment}' a deployment there, and --endpoint right? For OpenAI's "
            "protocol its URL ends in /v1."
        )
    if status == TOO_MANY and "retry-after" in headers:
        return f"Try again in {printable(headers['retry-after'])} s."
    return ""


def refused_limit(body: bytes, field: str) -> bool:
    """Whether a model refuses `max_tokens` and wants `max_completion_tokens`."""
    error = error_of(body)
    return (
        field == "max_tokens"
        and error.get("param") == field
        and error.get("code") == "unsupported_parameter"
    )


def no_answer(endpoint: Endpoint, problem: HttpClientError) -> SetupError:
    """The connection failed."""
    if isinstance(problem, ConnectError):
        cause = problem.__cause__
        why = f" ({type(cause).__name__}: {cause})" if cause is not None and str(cause) else ""
        if isinstance(cause, ssl.SSLCertVerificationError):
            return SetupError(
                f"The certificate of {endpoint.origin} is not trusted{printable(why)}. Name the "
                "authority that signed it with --ca-file FILE, or use the name it was made for."
            )
        return SetupError(
            f"No connection to {endpoint.origin}{printable(why)}. Does the server run, and is "
            "--endpoint right? Start one of your own with: linarite up"
        )
    if isinstance(problem, DeadlinePassed):
        return SetupError(f"{endpoint.origin} sent nothing for too long; ask again.")
    return SetupError(f"The connection to {endpoint.origin} broke; ask again.")


def no_stream(endpoint: Endpoint) -> SetupError:
    """Something answers there, but it does not speak the protocol."""
    return SetupError(
        f"What answers at {endpoint.origin}{endpoint.base} speaks neither Azure OpenAI's protocol "
        "nor OpenAI's. Is --endpoint right? For OpenAI's protocol it ends in /v1."
    )


def error_of(body: bytes) -> dict[str, object]:
    """The error object of an answer, in whichever of the usual places it is."""
    try:
        whole = table(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return {}
    error = whole.get("error")
    if isinstance(error, str):
        return {"message": error}
    return table(error) or whole


def table(value: object) -> dict[str, object]:
    """A JSON object, or an empty one where there is something else."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def printable(text: str) -> str:
    """Without what a terminal would take for a command."""
    return "".join(character if character.isprintable() else " " for character in text)
