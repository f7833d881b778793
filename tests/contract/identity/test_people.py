"""People sign in: device codes, the browser, refresh tokens, on behalf of them."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from azure.identity import DeviceCodeCredential, OnBehalfOfCredential

from tests.contract.identity.conftest import RESOURCE, SCOPE, claims_of

if TYPE_CHECKING:
    import httpx

    from tests.contract.identity.conftest import App, SignIn

PASSWORD = "correct horse battery staple"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def ada(sign_in: SignIn) -> dict[str, Any]:
    """A user."""
    return new_user(sign_in, "ada")


def new_user(sign_in: SignIn, name: str) -> dict[str, Any]:
    """A user with a password."""
    return sign_in.graph(
        "POST",
        "/users",
        {
            "displayName": name.title(),
            "userPrincipalName": f"{name}@example.org",
            "mailNickname": name,
            "accountEnabled": True,
            "passwordProfile": {"password": PASSWORD},
        },
    )


def browse(sign_in: SignIn, code: str, **typed: str) -> httpx.Response:
    """What a browser sends from the page where the device's code is typed."""
    return sign_in.ask(
        "POST",
        "/devicelogin",
        data={"code": code, **typed},
        headers={"origin": sign_in.url, "sec-fetch-site": "same-origin"},
    )


def begun(sign_in: SignIn, scope: str = f"{SCOPE} openid profile offline_access") -> dict[str, Any]:
    """A device flow of the Azure CLI's."""
    path = f"/{sign_in.tenant}/oauth2/v2.0/devicecode"
    return sign_in.ask("POST", path, data={"client_id": AZURE_CLI, "scope": scope}).json()


def redeemed(sign_in: SignIn, flow: dict[str, Any]) -> httpx.Response:
    """A poll of the device's."""
    return sign_in.token(
        grant_type=DEVICE, client_id=AZURE_CLI, device_code=flow["device_code"], client_info="1"
    )


def session(sign_in: SignIn, name: str) -> dict[str, Any]:
    """The tokens of somebody who has signed in at a device."""
    flow = begun(sign_in)
    page = browse(sign_in, flow["user_code"], username=f"{name}@example.org", password=PASSWORD)
    assert page.status_code == 200, page.text
    return redeemed(sign_in, flow).json()


def refreshed(sign_in: SignIn, token: str, **more: str) -> httpx.Response:
    """Other tokens for a refresh token."""
    return sign_in.token(
        grant_type="refresh_token", client_id=AZURE_CLI, refresh_token=token, **more
    )


def test_a_device_code_signs_a_person_in(sign_in: SignIn, ada: dict[str, Any]) -> None:
    """DeviceCodeCredential, while somebody types its code and their password in a browser."""
    shown: list[str] = []

    def prompt(uri: str, code: str, expires: object) -> None:
        del expires
        assert uri == f"{sign_in.url}/devicelogin"
        shown.append(code)
        first = browse(sign_in, code)
        assert "Azure CLI" in first.text
        done = browse(sign_in, code, username="Ada@Example.org", password=PASSWORD)
        assert done.status_code == 200, done.text

    with sign_in.environment():
        credential = DeviceCodeCredential(
            tenant_id=sign_in.tenant,
            authority=sign_in.host,
            disable_instance_discovery=True,
            prompt_callback=prompt,
        )
        claims = claims_of(credential.get_token(SCOPE).token)
    assert shown
    assert claims["oid"] == ada["id"]
    assert claims["idtyp"] == "user"
    assert claims["upn"] == "ada@example.org"
    assert claims["scp"] == "user_impersonation"
    assert claims["aud"] == RESOURCE


def test_the_device_waits_until_somebody_decides(sign_in: SignIn, ada: dict[str, Any]) -> None:
    """Pending, then refused; the code is worth nothing afterwards."""
    flow = begun(sign_in)
    assert redeemed(sign_in, flow).json()["error"] == "authorization_pending"
    wrong = browse(sign_in, flow["user_code"], username=ada["userPrincipalName"], password="no")
    assert wrong.status_code == 400
    assert "AADSTS50126" in wrong.text
    assert redeemed(sign_in, flow).json()["error"] == "authorization_pending"
    assert browse(sign_in, flow["user_code"], cancel="1").status_code == 200
    assert redeemed(sign_in, flow).json()["error"] == "authorization_declined"
    assert redeemed(sign_in, flow).json()["error"] == "bad_verification_code"


def test_pages_run_nothing_and_take_no_form_from_elsewhere(sign_in: SignIn) -> None:
    """What is typed is escaped; no script may run, no frame may hold the page, no cookie is set."""
    page = sign_in.ask("GET", "/devicelogin", params={"otc": '"><script>x'})
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "set-cookie" not in page.headers
    flow = begun(sign_in)
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = sign_in.ask(
            "POST",
            "/devicelogin",
            data={
                "code": flow["user_code"],
                "username": "ada@example.org",
                "password": PASSWORD,
            },
            headers=headers,
        )
        assert answer.status_code == 400
        form = {"client_id": AZURE_CLI, "scope": SCOPE}
        path = "/common/oauth2/v2.0/devicecode"
        answer = sign_in.ask("POST", path, data=form, headers=headers)
        assert (answer.status_code, answer.json()["error_codes"]) == (400, [90014])
    assert redeemed(sign_in, flow).json()["error"] == "authorization_pending"


def test_a_browser_gets_a_code_that_is_good_once(sign_in: SignIn, ada: dict[str, Any]) -> None:
    """The authorization code flow with PKCE, as `az login` has it."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "client_id": AZURE_CLI,
        "response_type": "code",
        "redirect_uri": "http://localhost:41234",
        "scope": f"{SCOPE} openid profile offline_access",
        "state": "a state/&",
        "nonce": "n-1",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    address = f"/organizations/oauth2/v2.0/authorize?{urlencode(query)}"
    assert "Azure CLI" in sign_in.ask("GET", address).text
    typed = {"username": "ada@example.org", "password": PASSWORD}
    back = sign_in.ask("POST", address, data=typed, headers={"origin": sign_in.url})
    assert back.status_code == 302, back.text
    told = parse_qs(urlsplit(back.headers["location"]).query)
    assert told["state"] == ["a state/&"]
    form = {
        "grant_type": "authorization_code",
        "client_id": AZURE_CLI,
        "code": told["code"][0],
        "redirect_uri": "http://localhost:41234",
        "client_info": "1",
    }
    answer = sign_in.token(**form, code_verifier=verifier)
    tokens = answer.json()
    assert answer.status_code == 200, tokens
    assert claims_of(tokens["access_token"])["oid"] == ada["id"]
    identity = claims_of(tokens["id_token"])
    assert identity["aud"] == AZURE_CLI
    assert identity["nonce"] == "n-1"
    assert identity["preferred_username"] == "ada@example.org"
    again = sign_in.token(**form, code_verifier=verifier)
    assert again.json()["error_codes"] == [54005]


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"redirect_uri": "https://evil.example/"}, 50011),
        ({"redirect_uri": "http://localhost@evil.example/"}, 50011),
        ({"redirect_uri": "http://localhost:1/\r\nx: y"}, 50011),
        ({"client_id": "00000000-0000-0000-0000-00000000beef"}, 700016),
    ],
)
def test_nobody_is_sent_elsewhere(sign_in: SignIn, changed: dict[str, str], number: int) -> None:
    """A wrong client or redirect URI is told on a page, and no browser follows it."""
    query = {
        "client_id": AZURE_CLI,
        "response_type": "code",
        "redirect_uri": "http://localhost:1",
        "scope": SCOPE,
    }
    page = sign_in.ask("GET", "/common/oauth2/v2.0/authorize", params=query | changed)
    assert page.status_code == 400
    assert f"AADSTS{number}" in page.text
    assert "location" not in page.headers


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({}, "invalid_request"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        (
            {"prompt": "none", "code_challenge": "x" * 43, "code_challenge_method": "S256"},
            "login_required",
        ),
    ],
)
def test_the_application_is_told_what_is_wrong(
    sign_in: SignIn, changed: dict[str, str], error: str
) -> None:
    """Once the redirect URI is known to be the client's, refusals go there."""
    query = {
        "client_id": AZURE_CLI,
        "response_type": "code",
        "redirect_uri": "http://localhost:1",
        "scope": SCOPE,
        "state": "s",
    }
    back = sign_in.ask("GET", "/common/oauth2/v2.0/authorize", params=query | changed)
    assert back.status_code == 302
    told = parse_qs(urlsplit(back.headers["location"]).query)
    assert told["error"] == [error]
    assert told["state"] == ["s"]


def test_a_refresh_token_gets_tokens_for_other_resources(
    sign_in: SignIn, ada: dict[str, Any]
) -> None:
    """Each use gives the next one."""
    first = session(sign_in, "ada")
    second = refreshed(sign_in, first["refresh_token"], scope="https://ai.azure.com/.default")
    assert second.status_code == 200, second.text
    claims = claims_of(second.json()["access_token"])
    assert claims["aud"] == "https://ai.azure.com"
    assert claims["oid"] == ada["id"]
    assert second.json()["refresh_token"] != first["refresh_token"]
    third = refreshed(sign_in, second.json()["refresh_token"])
    assert claims_of(third.json()["access_token"])["aud"] == RESOURCE


@pytest.mark.usefixtures("ada")
def test_reuse_of_a_refresh_token_ends_its_family(sign_in: SignIn) -> None:
    """Whoever shows one that is two uses old has a copy."""
    first = session(sign_in, "ada")["refresh_token"]
    second = refreshed(sign_in, first, scope=SCOPE).json()["refresh_token"]
    third = refreshed(sign_in, second, scope=SCOPE).json()["refresh_token"]
    assert refreshed(sign_in, first, scope=SCOPE).json()["error_codes"] == [70043]
    assert refreshed(sign_in, third, scope=SCOPE).json()["error_codes"] == [70008]


def test_a_new_password_ends_sessions(sign_in: SignIn) -> None:
    """So does disabling the user."""
    bob = new_user(sign_in, "bob")
    token = session(sign_in, "bob")["refresh_token"]
    time.sleep(1.1)  # times are kept in whole seconds
    body = {"passwordProfile": {"password": "another password"}}
    sign_in.graph("PATCH", f"/users/{bob['id']}", body, 204)
    assert refreshed(sign_in, token, scope=SCOPE).json()["error_codes"] == [50173]
    sign_in.graph("PATCH", f"/users/{bob['id']}", {"accountEnabled": False}, 204)
    flow = begun(sign_in)
    page = browse(
        sign_in, flow["user_code"], username="bob@example.org", password="another password"
    )
    assert "AADSTS50057" in page.text


def test_a_service_goes_on_in_a_persons_name(
    sign_in: SignIn, app: App, ada: dict[str, Any]
) -> None:
    """OnBehalfOfCredential, with a token that the person got for the service."""
    uri = f"api://{app.app_id}"
    sign_in.graph("PATCH", f"/applications/{app.id}", {"identifierUris": [uri]}, 204)
    flow = begun(sign_in, f"{uri}/chat")
    browse(sign_in, flow["user_code"], username="ada@example.org", password=PASSWORD)
    assertion = redeemed(sign_in, flow).json()["access_token"]
    assert claims_of(assertion)["aud"] == app.app_id
    assert claims_of(assertion)["scp"] == "chat"
    with sign_in.environment():
        credential = OnBehalfOfCredential(
            sign_in.tenant,
            app.app_id,
            client_secret=app.secret,
            user_assertion=assertion,
            authority=sign_in.host,
            disable_instance_discovery=True,
        )
        claims = claims_of(credential.get_token(SCOPE).token)
    assert claims["oid"] == ada["id"]
    assert claims["azp"] == app.app_id


def test_nobody_acts_on_behalf_with_a_token_for_others(sign_in: SignIn, app: App) -> None:
    """An assertion for another resource, and one of an application, are refused."""
    own = sign_in.token(
        grant_type="client_credentials",
        client_id=app.app_id,
        client_secret=app.secret,
        scope=SCOPE,
    ).json()["access_token"]
    answer = sign_in.token(
        grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer",
        client_id=app.app_id,
        client_secret=app.secret,
        assertion=own,
        requested_token_use="on_behalf_of",
        scope=SCOPE,
    )
    assert answer.json()["error_codes"] == [500131]


@pytest.mark.parametrize(
    "means", [{"accountEnabled": True}, {"passwordProfile": {"password": PASSWORD}}]
)
def test_guessing_passwords_is_slowed(sign_in: SignIn, means: dict[str, Any]) -> None:
    """After ten wrong ones a name must wait, longer each time, or be let in by an administrator."""
    name = f"eve-{len(means)}-{next(iter(means)).lower()}"
    eve = new_user(sign_in, name)
    flow = begun(sign_in)
    tries = 0
    page = browse(sign_in, flow["user_code"])
    while "AADSTS50053" not in page.text:
        tries += 1
        assert tries < 20
        page = browse(sign_in, flow["user_code"], username=f"{name}@example.org", password="guess")
    assert tries > 10
    assert "AADSTS50053" in html.unescape(page.text)
    assert re.search(r"Try again in \d+ s", page.text)
    sign_in.graph("PATCH", f"/users/{eve['id']}", means, 204)
    page = browse(sign_in, flow["user_code"], username=f"{name}@example.org", password=PASSWORD)
    assert "AADSTS" not in page.text
