"""HTTP for the sign-in plane: from an exchange to a request and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from linarite.domain.errors import LinariteError
from linarite.signin.graph.refusals import GraphRefused
from linarite.signin.refusals import IdentityRefused, SignInRefused, refused
from linarite.signin.request import Ask, Reply
from linarite.web.body import read_body, respond
from linarite.web.exchange import ClientLeft, header_lines
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.router import Router
    from linarite.web.asgi import HeaderList
    from linarite.web.exchange import Exchange

BODY_BYTES_MAX = 256 * 1024
BODY_WAIT_S = 30.0
FIELDS_MAX = 100
BODIED = frozenset(("POST", "PATCH", "PUT"))
CORRELATION_CHARACTERS_MAX = 100


class SignInApp:
    """The sign-in plane's handler."""

    def __init__(self, router: Router, desk: Desk) -> None:
        """`router` has everything that answers."""
        self._router = router
        self._desk = desk

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        body_left = exchange.method in BODIED
        ask = _head(exchange)
        try:
            ask = _with_query(ask, exchange.query)
            if body_left:
                body = await read_body(exchange, BODY_BYTES_MAX, BODY_WAIT_S)
                body_left = False
                ask = _with_body(ask, body)
            reply = await self._answer(ask)
        except ClientLeft:
            return
        except LinariteError as problem:
            reply = refusal(problem, ask)
        content = reply.text if reply.text is not None else _json(reply.body)
        lines = _lines(reply, ask, secure=exchange.secure)
        await respond(exchange, reply.status, lines, content, body_left=body_left)

    async def _answer(self, ask: Ask) -> Reply:
        found = self._router.find(ask.path)
        if found is None:
            return Reply(
                status=404,
                body={
                    "error": "not_found",
                    "error_description": f"There is nothing at '{ask.path[:200]}'. Signing in "
                    "begins at /{tenant}/v2.0/.well-known/openid-configuration.",
                },
            )
        route, names = found
        act = route.by_method.get("GET" if ask.method == "HEAD" else ask.method)
        if act is None:
            allowed = ", ".join(sorted(route.by_method))
            problem = refused(900561, allowed=allowed, method=ask.method)
            return msgspec.structs.replace(
                refusal(problem, ask), status=405, headers={"allow": allowed}
            )
        return await act(msgspec.structs.replace(ask, names=names), self._desk)


def refusal(problem: LinariteError, ask: Ask) -> Reply:
    """An error as Entra ID writes it; of managed identities as the metadata service does."""
    if isinstance(problem, SignInRefused):
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        told = (
            f"{problem.message} Trace ID: {ask.request_id} Correlation ID: {ask.correlation_id} "
            f"Timestamp: {stamp}"
        )
        body: dict[str, Any] = {
            "error": problem.error,
            "error_description": told,
            "error_codes": [problem.number],
            "timestamp": stamp,
            "trace_id": ask.request_id,
            "correlation_id": ask.correlation_id,
            "error_uri": f"{ask.base_url}/error?code={problem.number}",
        }
    elif isinstance(problem, GraphRefused):
        told = {
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": ask.request_id,
            "client-request-id": ask.correlation_id,
        }
        error = {"code": problem.code, "message": problem.message, "innerError": told}
        body = {"error": error}
    elif isinstance(problem, IdentityRefused):
        body = {"error": problem.error, "error_description": problem.message}
    else:
        body = {"error": "invalid_request", "error_description": problem.message}
    return Reply(status=problem.status, body=body, headers=problem.headers)


def _head(exchange: Exchange) -> Ask:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in exchange.headers}
    request_id = new_guid()
    correlation_id = headers.get("client-request-id") or headers.get("x-ms-client-request-id", "")
    if not 0 < len(correlation_id) <= CORRELATION_CHARACTERS_MAX:
        correlation_id = request_id
    scheme = "https" if exchange.secure else "http"
    client = exchange.client or ("", 0)
    return Ask(
        method=exchange.method,
        path=exchange.path,
        headers=headers,
        base_url=f"{scheme}://{headers.get('host') or 'localhost'}",
        address=client[0],
        port=client[1],
        request_id=request_id,
        correlation_id=correlation_id,
    )


def _with_query(ask: Ask, query: bytes) -> Ask:
    """The request with its parameters. Raises SignInRefused; for what is no `Host` too."""
    try:
        urlsplit(ask.base_url)
    except ValueError:
        raise refused(90014, why="its Host header names no host") from None
    return msgspec.structs.replace(ask, query=_pairs(query.decode("latin-1")))


def _with_body(ask: Ask, body: bytes) -> Ask:
    """The request with its form or its JSON. Raises SignInRefused for what is neither."""
    if not body:
        return ask
    kind = ask.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return msgspec.structs.replace(ask, form=_pairs(body.decode("utf-8", "replace")))
    try:
        return msgspec.structs.replace(ask, body=msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError):
        raise refused(
            90014, why="its body is neither a form (application/x-www-form-urlencoded) nor JSON"
        ) from None


def _pairs(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise refused(90014, why=f"it has more than {FIELDS_MAX} parameters") from None


def _json(body: object) -> bytes:
    return b"" if body is None else msgspec.json.encode(body)


def _lines(reply: Reply, ask: Ask, *, secure: bool) -> bytes:
    kind = reply.content_type if reply.text is not None else "application/json; charset=utf-8"
    headers = {
        "cache-control": "no-store, no-cache",
        "pragma": "no-cache",
        "x-content-type-options": "nosniff",
        "x-ms-request-id": ask.request_id,
        **({"strict-transport-security": "max-age=31536000; includeSubDomains"} if secure else {}),
        **({"client-request-id": ask.correlation_id} if _echoes(ask) else {}),
        **({"content-type": kind} if reply.text is not None or reply.body is not None else {}),
        **reply.headers,
    }
    lines: HeaderList = [(name.encode(), value.encode("utf-8")) for name, value in headers.items()]
    return header_lines(lines)


def _echoes(ask: Ask) -> bool:
    return ask.headers.get("return-client-request-id", "").lower() == "true"
