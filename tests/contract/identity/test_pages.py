"""The pages of signing in, as a browser shows them to people."""

from __future__ import annotations

import threading
import webbrowser
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from azure.identity import InteractiveBrowserCredential

from tests.browser import browser
from tests.contract.identity.conftest import SCOPE, claims_of
from tests.contract.identity.test_people import PASSWORD, begun, new_user, redeemed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.contract.identity.conftest import App, SignIn

NAME = "grace@example.org"


@pytest.fixture(scope="module")
def grace(sign_in: SignIn) -> dict[str, Any]:
    """A user."""
    return new_user(sign_in, "grace")


@pytest.fixture(scope="module")
def chromium(sign_in: SignIn) -> Iterator[Browser]:
    """A browser for all."""
    with browser(sign_in.chain) as running:
        yield running


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of somebody who was never here; whatever it complains of fails the test."""
    context = chromium.new_context()
    complaints: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda said: complaints.append(said.text))
    opened.on("pageerror", lambda problem: complaints.append(str(problem)))
    yield opened
    cookies = context.cookies()
    context.close()
    # The status of a refusal is told by every browser; that is no fault of the page's.
    assert [each for each in complaints if "status of 400" not in each] == []
    assert cookies == []


def sign_in_on(page: Page, password: str = PASSWORD) -> None:
    """Type name and password, found by their labels as people find them."""
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@contextmanager
def application() -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """An application's own page, to which people are sent back, and what it was told."""
    told: list[dict[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._show(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._show(self.rfile.read(int(self.headers["content-length"])).decode())

        def _show(self, query: str) -> None:
            if query:
                told.append(parse_qs(query))
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>Back</title>Welcome")

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base's name
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}/back", told
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.usefixtures("grace")
def test_a_device_is_signed_in(sign_in: SignIn, page: Page) -> None:
    """The code is typed, the application is named, a wrong password is told and nothing is lost."""
    flow = begun(sign_in)
    page.goto(flow["verification_uri"])
    page.get_by_label("Code").fill(flow["user_code"].lower())
    page.get_by_role("button", name="Next").click()
    assert "Azure CLI" in page.inner_text("main")
    sign_in_on(page, "wrong")
    assert "AADSTS50126" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("User name").input_value() == NAME
    assert page.get_by_label("Password").input_value() == ""
    sign_in_on(page)
    page.get_by_text("close this window").wait_for()
    assert claims_of(redeemed(sign_in, flow).json()["access_token"])["upn"] == NAME


def test_a_credential_opens_the_browser(
    sign_in: SignIn, page: Page, grace: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """InteractiveBrowserCredential, with a person at the browser that it opens."""
    opened: list[str] = []
    arrived = threading.Event()

    def open_browser(address: str, *_: object, **__: object) -> bool:
        opened.append(address)
        arrived.set()
        return True

    tokens: list[str] = []
    credential = InteractiveBrowserCredential(
        tenant_id=sign_in.tenant, authority=sign_in.host, disable_instance_discovery=True
    )
    monkeypatch.setattr(webbrowser, "open", open_browser)
    with sign_in.environment():
        asking = threading.Thread(target=lambda: tokens.append(credential.get_token(SCOPE).token))
        asking.start()
        assert arrived.wait(30)
        page.goto(opened[0])
        sign_in_on(page)
        page.get_by_text("close this window").wait_for()
        asking.join(30)
    assert claims_of(tokens[0])["oid"] == grace["id"]


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
@pytest.mark.usefixtures("grace")
def test_the_application_gets_its_code(sign_in: SignIn, page: Page, app: App, mode: str) -> None:
    """However it wants it; the page's own policy lets the browser go there and nowhere else."""
    with application() as (uri, told):
        web = {"web": {"redirectUris": [uri]}}
        sign_in.graph("PATCH", f"/applications/{app.id}", web, 204)
        query = {
            "client_id": app.app_id,
            "response_type": "code",
            "redirect_uri": uri,
            "response_mode": mode,
            "scope": f"{SCOPE} openid",
            "state": "a state/&",
        }
        address = f"{sign_in.url}/{sign_in.tenant}/oauth2/v2.0/authorize?{urlencode(query)}"
        page.goto(address)
        sign_in_on(page)
        page.get_by_text("Welcome").wait_for()
        answer = parse_qs(urlsplit(page.url).fragment) if mode == "fragment" else told[0]
        assert answer["state"] == ["a state/&"]
        form = {
            "grant_type": "authorization_code",
            "client_id": app.app_id,
            "client_secret": app.secret,
            "redirect_uri": uri,
        }
        tokens = sign_in.token(**form, code=answer["code"][0])
        assert tokens.status_code == 200, tokens.text
        page.goto(address)
        page.get_by_role("button", name="Cancel").click()
        page.get_by_text("Welcome").wait_for()
        back = parse_qs(urlsplit(page.url).fragment) if mode == "fragment" else told[1]
        assert back["error"] == ["access_denied"]


@pytest.mark.usefixtures("grace")
def test_a_form_of_another_site_signs_nobody_in(sign_in: SignIn, chromium: Browser) -> None:
    """A browser says where a form comes from, and the page can be put into no frame."""
    flow = begun(sign_in)
    context = chromium.new_context()
    evil = context.new_page()
    fields = {"code": flow["user_code"], "username": NAME, "password": PASSWORD}
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    evil.set_content(
        f'<form method="post" action="{sign_in.url}/devicelogin">{inputs}<button>Go</button></form>'
        f'<iframe src="{sign_in.url}/devicelogin"></iframe>'
    )
    evil.wait_for_timeout(300)
    framed = evil.frames[1]
    assert framed.get_by_label("Code").count() == 0
    evil.get_by_role("button", name="Go").click()
    evil.get_by_text("came from another site").wait_for()
    context.close()
    assert redeemed(sign_in, flow).json()["error"] == "authorization_pending"
