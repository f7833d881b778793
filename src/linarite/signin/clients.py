"""The applications that ask for tokens: registered ones, and the public ones of Azure's tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from linarite.signin.directory.records import Application, ServicePrincipal
from linarite.signin.refusals import refused

if TYPE_CHECKING:
    from linarite.signin.desk import Desk

TOOLS = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Azure CLI",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
    "aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
}
"""client ids that `az`, azure-identity and others bring along; they sign people in"""
URI = re.compile(r"[A-Za-z][\w+.-]*:[\w/.:\[\]?&=%~@!$+,;()-]{0,1000}", re.ASCII)
"""what fits a header and an attribute as it is"""
LOOPBACK = ("http://localhost", "http://127.0.0.1")


class Client(msgspec.Struct, frozen=True):
    """An application that asks, and what it has proved."""

    app_id: str
    name: str
    application: Application | None = None
    principal: ServicePrincipal | None = None
    """what it signs in as by itself; None for Azure's tools"""
    proof: str = "0"
    """as `azpacr` has it: 0 nothing, 1 a secret, 2 a certificate or another's token"""
    how: str = "public"

    @property
    def is_public(self) -> bool:
        """Whether it can keep no secret."""
        return self.application is None or self.application.public_client

    @property
    def has_secrets(self) -> bool:
        """Whether there is anything that it could prove itself with."""
        kept = (self.application, self.principal)
        federated = bool(self.application and self.application.federated)
        return federated or any(each and (each.secrets or each.certificates) for each in kept)


def known_client(client_id: str, desk: Desk) -> Client:
    """The client of an id, with nothing proved. Raises SignInRefused."""
    if not client_id:
        raise refused(900144, parameter="client_id")
    app_id = client_id.lower()
    application = desk.book.application(app_id)
    principal = desk.book.service_principal(app_id)
    if principal is not None and not principal.enabled:
        raise refused(7000112, client=client_id)
    if application is not None or principal is not None:
        name = application.name if application else principal.name if principal else ""
        return Client(app_id, name, application, principal)
    if app_id in TOOLS:
        return Client(app_id, TOOLS[app_id])
    raise refused(700016, client=client_id)


def may_return_to(client: Client, uri: str) -> bool:
    """Whether a redirect URI is the client's. On this machine the port is free, RFC 8252, 7.3."""
    if not URI.fullmatch(uri) or not _can_be_read(uri):
        return False
    if client.application is None:
        return uri == "https://login.microsoftonline.com/common/oauth2/nativeclient" or _is_local(
            uri
        )
    registered = client.application.redirect_uris + client.application.public_redirect_uris
    return any(
        uri == each or (_is_local(each) and _same_but_port(each, uri)) for each in registered
    )


def _can_be_read(uri: str) -> bool:
    try:
        urlsplit(uri)
    except ValueError:  # a bracket that is not closed
        return False
    return True


def _is_local(uri: str) -> bool:
    return (
        any(uri == base or uri.startswith((f"{base}:", f"{base}/")) for base in LOOPBACK)
        and "@" not in uri
    )


def _same_but_port(registered: str, uri: str) -> bool:
    return _is_local(uri) and _without_port(registered) == _without_port(uri)


def _without_port(uri: str) -> tuple[str, str]:
    scheme, _, rest = uri.partition("://")
    authority, _, path = rest.partition("/")
    return f"{scheme}://{authority.partition(':')[0]}", path.strip("/")
