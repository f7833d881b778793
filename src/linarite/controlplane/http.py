"""HTTP for the control plane: from an exchange to a request and back, with ARM's headers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec

from linarite.controlplane.auditing import audited_refusal
from linarite.controlplane.caller import ANYONE, Credentials
from linarite.controlplane.request import Answer, ArmRequest
from linarite.controlplane.resources.template_deployments.deployer import TemplateDeployer
from linarite.controlplane.upkeep import Upkeep
from linarite.domain.errors import LinariteError
from linarite.web.arm_envelope import arm_error_body
from linarite.web.body import read_json_body, respond
from linarite.web.exchange import ClientLeft, header_lines
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from linarite.controlplane.plane import ControlPlane
    from linarite.domain.audit import AuditEvent
    from linarite.web.asgi import HeaderList
    from linarite.web.exchange import Exchange

BODY_BYTES_MAX = 4 * 1024 * 1024
"""the Resource Manager's own limit"""
BODY_WAIT_S = 60.0
CORRELATION_CHARACTERS_MAX = 100
UNAUTHENTICATED = 401


class ManagementApp:
    """The control plane's handler."""

    def __init__(self, plane: ControlPlane, credentials: Credentials) -> None:
        self._plane = plane
        self._credentials = credentials

    @property
    def deployer(self) -> TemplateDeployer:
        """What carries template deployments out."""
        return TemplateDeployer(self._plane.surface)

    @property
    def upkeep(self) -> Upkeep:
        """What it does by itself from time to time."""
        return Upkeep(self._plane.surface)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        request_id = new_guid()
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in exchange.headers
        }
        correlation_id = headers.get("x-ms-correlation-request-id", "")
        if not 0 < len(correlation_id) <= CORRELATION_CHARACTERS_MAX:
            correlation_id = request_id
        body_left = exchange.method in BODIED
        try:
            request = await self._request(exchange, headers, request_id, correlation_id)
            if request.caller.principal.is_key:
                self._plane.surface.audit.note_management_key(request.client_address, request_id)
            body = await _body(exchange)
            body_left = False
            answer = await self._plane.serve(msgspec.structs.replace(request, body=body))
            content = b"" if answer.body is None else msgspec.json.encode(answer.body)
        except ClientLeft:
            return
        except LinariteError as refused:
            if refused.status == UNAUTHENTICATED:
                self._plane.surface.audit.note(self._stranger(exchange, request_id, refused))
            answer = Answer(refused.status, headers=refused.headers)
            content = b"" if exchange.method == "HEAD" else arm_error_body(refused)
        extra = _headers(headers, request_id, correlation_id, self._plane.surface.realm.locations)
        lines = _lines(answer, content, extra)
        await respond(exchange, answer.status, lines, content, body_left=body_left)

    def _stranger(self, exchange: Exchange, request_id: str, refused: LinariteError) -> AuditEvent:
        """A request of somebody who was not recognised. Of a flood only the number is kept."""
        request = ArmRequest(
            method=exchange.method,
            path=exchange.path,
            api_version="",
            caller=ANYONE,
            request_id=request_id,
            client_address=exchange.client[0] if exchange.client else "",
        )
        permission = self._plane.permission_of(exchange.method, exchange.path)
        return audited_refusal(request, permission, refused, self._plane.surface.access)

    async def _request(
        self, exchange: Exchange, headers: dict[str, str], request_id: str, correlation_id: str
    ) -> ArmRequest:
        base_url = _base_url(exchange, headers)
        if self._plane.is_public(exchange.method, exchange.path):
            caller = ANYONE
        else:
            authorization_uri = f"{base_url}/{self._plane.surface.realm.tenant}"
            caller = self._credentials.holder(
                exchange.certificate, exchange.arrival.listener, headers
            ) or await self._credentials.recognise(
                headers,
                authorization_uri,
                self._plane.audience_of(exchange.method, exchange.path),
            )
        query = {name.lower(): value for name, value in parse_qsl(exchange.query.decode("latin-1"))}
        return ArmRequest(
            method=exchange.method,
            path=exchange.path,
            api_version=query.pop("api-version", ""),
            caller=caller,
            query=query,
            headers=headers,
            base_url=base_url,
            request_id=request_id,
            correlation_id=correlation_id,
            client_address=exchange.client[0] if exchange.client else "",
        )


BODIED = frozenset(("PUT", "PATCH", "POST"))


async def _body(exchange: Exchange) -> bytes:
    if exchange.method not in BODIED:
        return b""
    return await read_json_body(exchange, BODY_BYTES_MAX, BODY_WAIT_S)


def _base_url(exchange: Exchange, headers: dict[str, str]) -> str:
    """Scheme and authority as the client wrote them."""
    scheme = "https" if exchange.secure else "http"
    return f"{scheme}://{headers.get('host') or 'localhost'}"


def _headers(
    sent: dict[str, str], request_id: str, correlation_id: str, locations: tuple[str, ...]
) -> HeaderList:
    """What the Resource Manager puts on every answer."""
    headers = [
        ("cache-control", "no-cache"),
        ("pragma", "no-cache"),
        ("expires", "-1"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-ms-request-id", request_id),
        ("x-ms-correlation-request-id", correlation_id),
        ("x-ms-routing-request-id", f"{locations[0].upper()}:{request_id}"),
    ]
    asked = sent.get("x-ms-return-client-request-id", "").lower() == "true"
    client_id = sent.get("x-ms-client-request-id", "")[:CORRELATION_CHARACTERS_MAX]
    if asked and client_id:
        headers.append(("x-ms-client-request-id", client_id))
    return [(name.encode(), value.encode("latin-1")) for name, value in headers]


def _lines(answer: Answer, content: bytes, extra: HeaderList) -> bytes:
    headers: HeaderList = [
        *extra,
        *((name.encode(), value.encode("latin-1")) for name, value in answer.headers.items()),
    ]
    if content:
        headers.append((b"content-type", b"application/json; charset=utf-8"))
    return header_lines(headers)
