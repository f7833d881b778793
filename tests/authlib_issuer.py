"""An identity provider as companies run one: Authlib's authorization server behind real https.

Realms lie under a path, tokens are of RFC 9068 with the claims that Keycloak puts into them, and
clients sign in with their secret.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import uuid4

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientCredentialsGrant,
    ClientMixin,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc.jwk import KeySet, RSAKey

from tests.tls_server import tls_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.authority import Authority
    from tests.tls_server import Answer, Request

REALM = "/realms/company"
CONFIGURATION = f"{REALM}/.well-known/openid-configuration"
KEYS = f"{REALM}/protocol/openid-connect/certs"
TOKENS = f"{REALM}/protocol/openid-connect/token"
AUDIENCE = "linarite"
Json = dict[str, Any]


class RegisteredClient(ClientMixin):
    """An application of the realm, with the account that stands for it."""

    def __init__(self, client_id: str, groups: tuple[str, ...] = ()) -> None:
        self.client_id = client_id
        self.secret = uuid4().hex
        self.subject = str(uuid4())
        self.groups = groups

    def get_client_id(self) -> str:
        """As Authlib asks."""
        return self.client_id

    def get_allowed_scope(self, scope: Any) -> Any:  # noqa: ANN401 - as the base has it
        """Whatever is asked for."""
        return scope or ""

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is this one's."""
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """The secret comes as HTTP's basic authentication."""
        return (method, endpoint) == ("client_secret_basic", "token")

    def check_grant_type(self, grant_type: str) -> bool:
        """It has no people."""
        return grant_type == "client_credentials"


class Realm(AuthorizationServer):
    """Authlib's server, on requests of the standard library's."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self.url = f"{origin}{REALM}"
        self.clients: dict[str, RegisteredClient] = {}
        self.keys = KeySet([RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})])
        self.register_grant(ClientCredentialsGrant)
        self.register_token_generator("default", RealmTokens(self))

    def register(self, client_id: str, groups: tuple[str, ...] = ()) -> RegisteredClient:
        """Add an application."""
        return self.clients.setdefault(client_id, RegisteredClient(client_id, groups))

    def document(self, path: str) -> Json | None:
        """What a path shows."""
        if path == CONFIGURATION:
            origin = self.url.removesuffix(REALM)
            ends = {"jwks_uri": f"{origin}{KEYS}", "token_endpoint": f"{origin}{TOKENS}"}
            return {"issuer": self.url, **ends}
        return dict(self.keys.as_dict(private=False)) if path == KEYS else None

    def query_client(self, client_id: str) -> Any:  # noqa: ANN401 - the base says there is one
        """As Authlib asks."""
        return self.clients.get(client_id)

    def save_token(self, token: Json, request: OAuth2Request) -> None:
        """Tokens speak for themselves."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        """It is one already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Json]:  # noqa: ANN401 - the library's signature
        """What the handler sends."""
        del headers
        return status, body


class RealmTokens(JWTBearerTokenGenerator):
    """Tokens with the claims that Keycloak adds."""

    def __init__(self, realm: Realm) -> None:
        super().__init__(issuer=realm.url, expires_generator=lambda *_: 300)
        self._realm = realm

    def get_jwks(self) -> Any:  # noqa: ANN401 - what Authlib's `jwt.encode` takes
        """The keys that sign."""
        return self._realm.keys

    def get_audiences(self, client: RegisteredClient, user: object, scope: object) -> list[str]:
        """Of the service, and of the realm's own account pages, as Keycloak has it."""
        del client, user, scope
        return [AUDIENCE, "account"]

    def get_extra_claims(
        self, client: RegisteredClient, grant_type: object, user: object, scope: object
    ) -> Json:
        """Who the client is."""
        del grant_type, user, scope
        return {
            "sub": client.subject,
            "azp": client.client_id,
            "typ": "Bearer",
            "groups": list(client.groups),
            "preferred_username": f"service-account-{client.client_id}",
        }


@contextmanager
def realm(authority: Authority) -> Iterator[Realm]:
    """Runs on a free port of 127.0.0.1 under a certificate of the authority's."""
    running: Realm

    def answer(request: Request) -> Answer:
        if request.method == "GET":
            found = running.document(request.path)
            status, document = (404, {}) if found is None else (200, found)
        else:
            status, document = token_response(running, request)
        return status, {"content-type": "application/json"}, json.dumps(document).encode()

    with tls_server(authority, answer) as origin:
        running = Realm(origin)
        yield running


def token_response(realm: Realm, request: Request) -> tuple[int, Json]:
    """What Authlib says to a form."""
    asked = OAuth2Request("POST", f"https://realm{request.path}", headers=dict(request.headers))
    payload: Any = BasicOAuth2Payload
    asked.payload = payload(dict(parse_qsl(request.body.decode())))
    answer: Any = realm.create_token_response(asked)  # by `handle_response`
    return answer
