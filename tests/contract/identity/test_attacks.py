"""What strangers and insiders try at the sign-in plane: each is refused, and nothing breaks."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pytest

from tests.contract.identity.conftest import SCOPE, claims_of
from tests.contract.identity.test_people import AZURE_CLI, PASSWORD, new_user

if TYPE_CHECKING:
    from tests.contract.identity.conftest import App, SignIn

EXCHANGE = "api://AzureADTokenExchange"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
AUTHORIZE = "/common/oauth2/v2.0/authorize"


def part(content: bytes | dict[str, Any]) -> str:
    """A part of a token."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def asserted(sign_in: SignIn, app: App, assertion: str) -> httpx.Response:
    """A request of an application that shows somebody's assertion."""
    return sign_in.token(
        grant_type="client_credentials",
        client_id=app.app_id,
        client_assertion=assertion,
        client_assertion_type=JWT_BEARER,
        scope=SCOPE,
    )


def test_a_token_for_a_service_does_not_open_the_directory(sign_in: SignIn) -> None:
    """Whoever has been shown a token can't call this server by the service's name, and use it."""
    service = "https://service.internal"
    app = sign_in.new_app("replayed", identifierUris=[service])
    answer = sign_in.ask(
        "POST",
        f"/{sign_in.tenant}/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": app.app_id,
            "client_secret": app.secret,
            "resource": service,
        },
    )
    token = answer.json()["access_token"]
    assert claims_of(token)["aud"] == service
    shown = {"authorization": f"Bearer {token}", "host": "service.internal"}
    refused = sign_in.ask("GET", "/v1.0/me", headers=shown)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "InvalidAuthenticationToken"


def test_no_application_takes_azures_names(sign_in: SignIn) -> None:
    """Tokens for the control plane would be that application's from then on."""
    app = sign_in.new_app("greedy")
    for uri in ("https://management.azure.com", "https://Graph.Microsoft.com/"):
        sign_in.graph("PATCH", f"/applications/{app.id}", {"identifierUris": [uri]}, 400)


@pytest.mark.parametrize("how", ["disabled", "deleted"])
def test_who_has_gone_vouches_for_nobody(sign_in: SignIn, how: str) -> None:
    """A federated credential ends with the principal whose tokens it takes, not with the tokens."""
    app, other = sign_in.new_app(f"vouched-{how}"), sign_in.new_app(f"vouching-{how}")
    token = sign_in.token(
        grant_type="client_credentials",
        client_id=other.app_id,
        client_secret=other.secret,
        scope=f"{EXCHANGE}/.default",
    ).json()["access_token"]
    claims = claims_of(token)
    credential = {
        "name": "other",
        "issuer": claims["iss"],
        "subject": claims["sub"],
        "audiences": [claims["aud"]],
    }
    path = f"/applications/{app.id}/federatedIdentityCredentials"
    sign_in.graph("POST", path, credential, 201)
    assert asserted(sign_in, app, token).status_code == 200
    if how == "disabled":
        path = f"/servicePrincipals/{other.principal_id}"
        sign_in.graph("PATCH", path, {"accountEnabled": False}, 204)
    else:
        sign_in.graph("DELETE", f"/applications/{other.id}", status=204)
    assert asserted(sign_in, app, token).json()["error_codes"] == [700213]


def test_a_challenge_that_was_taken_out_is_missed(sign_in: SignIn) -> None:
    """PKCE can't be downgraded: a verifier without a challenge is refused, RFC 9700, 4.8.2."""
    new_user(sign_in, "downgraded")
    back = "http://localhost/back"
    app = sign_in.new_app("confidential", web={"redirectUris": [back]})
    query = {
        "client_id": app.app_id,
        "response_type": "code",
        "redirect_uri": back,
        "scope": SCOPE,
    }
    sent = sign_in.ask(
        "POST",
        f"{AUTHORIZE}?{urlencode(query)}",
        data={"username": "downgraded@example.org", "password": PASSWORD},
    )
    code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
    answer = sign_in.token(
        grant_type="authorization_code",
        client_id=app.app_id,
        client_secret=app.secret,
        code=code,
        redirect_uri=back,
        code_verifier="v" * 43,
    )
    assert answer.json()["error_codes"] == [501481]


def test_a_wrong_scope_uses_no_refresh_token_up(sign_in: SignIn) -> None:
    """Who asks for what is not there may ask again, however late: the token is the same."""
    new_user(sign_in, "refreshing")
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "client_id": AZURE_CLI,
        "response_type": "code",
        "redirect_uri": "http://localhost:1",
        "scope": f"{SCOPE} offline_access",
        "code_challenge": part(digest),
        "code_challenge_method": "S256",
    }
    typed = {"username": "refreshing@example.org", "password": PASSWORD}
    sent = sign_in.ask("POST", f"{AUTHORIZE}?{urlencode(query)}", data=typed)
    first = sign_in.token(
        grant_type="authorization_code",
        client_id=AZURE_CLI,
        code=parse_qs(urlsplit(sent.headers["location"]).query)["code"][0],
        redirect_uri="http://localhost:1",
        code_verifier=verifier,
    ).json()["refresh_token"]
    again = {"grant_type": "refresh_token", "client_id": AZURE_CLI, "refresh_token": first}
    assert sign_in.token(**again, scope="nothing").status_code == 400
    second = sign_in.token(**again).json()["refresh_token"]
    assert second.split(".")[2] == str(int(first.split(".")[2]) + 1)


@pytest.mark.parametrize(
    ("method", "path", "extra"),
    [
        ("GET", f"{AUTHORIZE}?{urlencode({f'p{at}': '' for at in range(150)})}", {}),
        (
            "GET",
            f"{AUTHORIZE}?client_id={AZURE_CLI}&redirect_uri={quote('http://localhost:[')}",
            {},
        ),
        ("GET", "/common/discovery/instance", {"headers": {"host": "["}}),
        ("POST", "/devicelogin", {"data": {"code": "x"}, "headers": {"origin": "http://["}}),
        (
            "POST",
            "/common/oauth2/v2.0/token",
            {
                "data": {"grant_type": "client_credentials"},
                "headers": {"authorization": "Basic é".encode()},
            },
        ),
        (
            "GET",
            "/v1.0/me",
            {"headers": {"authorization": f"Bearer {part({'alg': 'RS256', 'crit': 5})}.e30.AA"}},
        ),
        (
            "POST",
            "/common/oauth2/v2.0/devicecode",
            {"data": {"client_id": AZURE_CLI, "scope": f"{SCOPE}{'x' * 200_000}"}},
        ),
    ],
)
def test_what_nobody_sends_is_refused(
    sign_in: SignIn, method: str, path: str, extra: dict[str, Any]
) -> None:
    """Too many parameters, addresses that are none, headers and scopes beyond reason."""
    answer = sign_in.ask(method, path, **extra)
    assert 400 <= answer.status_code < 500, answer.text


def test_an_assertion_nested_beyond_reason_is_refused(sign_in: SignIn) -> None:
    """Before anybody is known."""
    deep = b'{"sub":' + b"[" * 11_000 + b"]" * 11_000 + b"}"
    answer = sign_in.token(
        grant_type="client_credentials",
        client_assertion=f"{part({'alg': 'RS256'})}.{part(deep)}.AA",
        client_assertion_type=JWT_BEARER,
        scope=SCOPE,
    )
    assert answer.json()["error_codes"] == [50027]


@pytest.mark.parametrize(
    "dates",
    [
        {"startDateTime": "9999-12-31T00:00:00Z"},
        {"startDateTime": "0001-01-01T00:00:00+23:59", "endDateTime": "2100-01-01T00:00:00Z"},
    ],
)
def test_dates_that_cant_be_shown_are_not_kept(sign_in: SignIn, dates: dict[str, str]) -> None:
    """One of them would keep everybody from listing applications."""
    app = sign_in.new_app("dated")
    path = f"/applications/{app.id}/addPassword"
    sign_in.graph("POST", path, {"passwordCredential": dates}, 400)
    assert sign_in.graph("GET", "/applications")["value"]


def test_a_member_with_an_address_that_is_none(sign_in: SignIn) -> None:
    """It is nobody's."""
    group = sign_in.graph("POST", "/groups", {"displayName": "addressed", "mailNickname": "a"})
    reference = {"@odata.id": "https://["}
    sign_in.graph("POST", f"/groups/{group['id']}/members/$ref", reference, 404)


def test_no_web_page_gets_this_machines_identity(sign_in: SignIn) -> None:
    """A page whose name is made to mean this machine (DNS rebinding) sends that name as host."""
    asked = {"api-version": "2018-02-01", "resource": "https://cognitiveservices.azure.com"}
    port = urlsplit(sign_in.url).port
    hosts = {"page.example": 421, "page.internal": 403, "localhost": 200, "127.0.0.1": 200}
    for host, status in hosts.items():
        headers = {"metadata": "true", "host": f"{host}:{port}"}
        path = "/metadata/identity/oauth2/token"
        answer = sign_in.ask("GET", path, params=asked, headers=headers)
        assert answer.status_code == status, answer.text


def test_others_failures_keep_nobody_out_who_is_right(sign_in: SignIn) -> None:
    """Anybody knows a client's id, and behind a proxy all have one address: only errors wait."""
    app = sign_in.new_app("besieged")
    form = {"grant_type": "client_credentials", "client_id": app.app_id, "scope": SCOPE}
    wrong = [sign_in.token(**form, client_secret="wrong").json()["error_codes"] for _ in range(12)]
    assert wrong[0] == [7000215]
    assert wrong[-1] == [90055]
    assert sign_in.token(**form, client_secret=app.secret).status_code == 200


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback is one address")
def test_one_address_takes_not_every_place(sign_in: SignIn) -> None:
    """Sign-ins that wait at devices elsewhere stay, however many are begun from one address."""
    form = {"client_id": AZURE_CLI, "scope": SCOPE}
    path = f"{sign_in.url}/common/oauth2/v2.0/devicecode"
    other = httpx.HTTPTransport(verify=sign_in.trust, local_address="127.0.0.2")
    with httpx.Client(transport=other) as client:
        statuses = [client.post(path, data=form).status_code for _ in range(1_002)]
    assert statuses[:1_001] == [200] * 1_001
    assert statuses[-1] == 429
    assert sign_in.ask("POST", path, data=form).status_code == 200
