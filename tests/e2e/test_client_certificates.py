"""Clients that show a certificate: roles decide about them as about tokens."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openai import AzureOpenAI, DefaultHttpxClient

from linarite.storage.sealing import Sealing
from linarite.web.certificates.authority import LocalAuthority
from tests.authority import Authority
from tests.cli.terminal import linarite
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

ROLE = "Cognitive Services OpenAI User"
CHAT = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
HELLO = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 1}
SETTINGS = """
[listeners.required]
address = "127.0.0.1"
port = 0
client_certificates = "required"

[listeners.optional]
address = "127.0.0.1"
port = 0
client_certificates = "optional"

[listeners.theirs]
address = "127.0.0.1"
port = 0
client_certificates = "optional"
client_ca_files = ["{theirs}"]
"""


class Clients:
    """A server, what it needs to be trusted, and certificates to show it."""

    def __init__(self, home: Path, theirs: Authority) -> None:
        self.home = home
        self.theirs = theirs
        self.server: Server

    def keep(self, name: str) -> Path:
        """A client's certificate and key of the local authority, in one file."""
        issued = authority_in(self.home).client(name)
        file = self.home / f"{name}.pem"
        file.write_bytes(issued.chain + issued.key)
        return file

    def shows(self, file: Path | None) -> ssl.SSLContext:
        """TLS of a client that shows it."""
        context = ssl.create_default_context(cafile=self.server.ready["ca_file"])
        if file is not None:
            context.load_cert_chain(file)
        return context

    def ask(
        self, listener: str, file: Path | None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """A short answer."""
        url = self.server.ready["listeners"][listener] + CHAT
        return httpx.post(url, json=HELLO, verify=self.shows(file), headers=headers, timeout=30)


def cli(home: Path, *words: str) -> str:
    """What a command prints."""
    done = linarite(home, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Two applications of the directory, of which one has a role and both a certificate."""
    folder = tmp_path_factory.mktemp("clients")
    home, theirs = folder / "home", Authority(folder, "theirs")
    home.mkdir()
    settings = SETTINGS.format(theirs=theirs.file) + SIMULATED
    with stopped(start_server(home, settings)) as server:
        ids = {name: object_id_of(home, name) for name in ("robot", "poor")}
        account = server.ready["account_id"]
        assignment = ("--assignee", "robot", "--role", ROLE, "--scope", account)
        cli(home, "role", "assignment", "create", *assignment)
    mapped = f"""
[client_certificates.robot]
principal = "{ids["robot"]}"
subject = "CN=robot"
listeners = ["required", "optional"]

[client_certificates.poor]
principal = "{ids["poor"]}"
name = "URI:urn:linarite:client:poor"
issuer = "{authority_in(home).key_print}"

[client_certificates.guest]
principal = "{ids["robot"]}"
subject = "CN=guest"
issuer = "{authority_in(home).certificate.subject.rfc4514_string()}"
"""
    found = Clients(home, theirs)
    with stopped(start_server(home, settings + mapped)) as found.server:
        yield found


def authority_in(home: Path) -> LocalAuthority:
    """The local authority of a server that has run: its master key opens it."""
    master_key = bytes.fromhex((home / "master.key").read_text())
    return LocalAuthority(home / "ca", Sealing(master_key).authority_secret)


def object_id_of(home: Path, name: str) -> str:
    """Of a new application's service principal."""
    cli(home, "identity", "app", "create", name)
    listed = json.loads(cli(home, "identity", "principal", "list", "--output", "json"))
    return next(each["id"] for each in listed if each["displayName"] == name)


def test_a_role_lets_its_holder_in(clients: Clients) -> None:
    """With the official client, which leaves its key out."""
    robot = clients.shows(clients.keep("robot"))
    for listener in ("required", "optional"):
        with AzureOpenAI(
            azure_endpoint=clients.server.ready["listeners"][listener],
            api_key="none",
            api_version="2024-10-21",
            http_client=DefaultHttpxClient(verify=robot, event_hooks={"request": [without_key]}),
        ) as client:
            answer = client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], max_tokens=1
            )
        assert answer.choices[0].message.content is not None


def test_an_issuer_makes_a_subject_somebodys(clients: Clients) -> None:
    """On every listener that trusts the authority that the rule names."""
    guest = clients.keep("guest")
    for listener in ("required", "optional"):
        assert clients.ask(listener, guest).status_code == 200


def without_key(request: httpx.Request) -> None:
    """The client can't be made without a credential; the certificate is to be the only one."""
    del request.headers["api-key"]


def test_without_a_role_it_is_a_principal_without_a_role(clients: Clients) -> None:
    """The refusal is the one for tokens."""
    refused = clients.ask("optional", clients.keep("poor"))
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "PermissionDenied"


def test_nobodys_certificate_opens_nothing(clients: Clients) -> None:
    """One without a rule, none at all, and ones that another authority gave out.

    Whether a rule says by which listeners or by which issuer.
    """
    forged = clients.theirs.client_file("robot")
    for listener, file in (
        ("optional", clients.keep("stranger")),
        ("optional", None),
        ("theirs", forged),
        ("theirs", clients.theirs.client_file("guest")),
        ("theirs", None),
    ):
        refused = clients.ask(listener, file)
        assert refused.status_code == 401, listener
        assert "invalid subscription key" in refused.json()["error"]["message"]


def test_what_is_of_no_authority_is_refused_in_the_handshake(clients: Clients) -> None:
    """And nothing at all, where one is required; a server's own certificate is no client's."""
    issued = authority_in(clients.home).server(["localhost"])
    of_a_server = clients.home / "of-a-server.pem"
    of_a_server.write_bytes(issued.chain + issued.key)
    for listener, file in (
        ("required", None),
        ("required", clients.theirs.client_file("robot")),
        ("optional", clients.theirs.client_file("robot")),
        ("optional", of_a_server),
    ):
        with pytest.raises(httpx.TransportError):
            clients.ask(listener, file)


def test_a_key_or_a_page_decides_instead(clients: Clients) -> None:
    """A certificate counts where nothing else is shown: a browser shows it for any page."""
    robot = clients.keep("robot")
    headers: Any
    for headers, status in (
        ({"api-key": clients.server.key}, 200),
        ({"api-key": "wrong"}, 401),
        ({"authorization": "Bearer a.b.c"}, 401),
        ({"origin": "https://evil.example"}, 401),
        ({"sec-fetch-site": "cross-site"}, 401),
    ):
        assert clients.ask("required", robot, headers=headers).status_code == status, headers


def test_the_control_plane_knows_it_too(clients: Clients) -> None:
    """By the same roles."""
    account = clients.server.ready["account_id"]
    base = clients.server.ready["listeners"]["optional"]
    for file, status in (
        (clients.keep("robot"), 200),
        (clients.keep("poor"), 403),
        (clients.keep("stranger"), 401),
    ):
        answer = httpx.get(
            f"{base}{account}?api-version=2025-09-01", verify=clients.shows(file), timeout=30
        )
        assert answer.status_code == status, answer.text
