"""`linarite identity …` against a real server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

SCOPE = "https://cognitiveservices.azure.com/.default"


def told(server: Server, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What a command prints for programs."""
    done = linarite(server.home, "identity", *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def did(server: Server, *arguments: str) -> str:
    """What a command says, and prints, to people."""
    done = linarite(server.home, "identity", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_an_application_signs_in_with_its_secret_until_it_is_removed(server: Server) -> None:
    """From registration to the end, by commands alone."""
    app = told(server, "app", "create", "my-service", "--identifier-uri", "api://my-service")
    secret = told(server, "app", "secret", "add", "my-service", "--days", "30", "--name", "ci")
    listed = did(server, "app", "secret", "list", "my-service")
    assert secret["secretText"] not in listed
    assert secret["hint"] in listed
    form = {
        "grant_type": "client_credentials",
        "client_id": app["appId"],
        "client_secret": secret["secretText"],
        "scope": SCOPE,
    }
    token = f"{server.endpoint}/common/oauth2/v2.0/token"
    assert httpx.post(token, data=form, timeout=30).status_code == 200
    assert "tokens are signed" in did(server, "rotate-keys").lower()
    did(server, "app", "secret", "remove", "my-service", secret["keyId"])
    assert httpx.post(token, data=form, timeout=30).status_code == 401
    names = [each["displayName"] for each in told(server, "principal", "list")]
    assert "my-service" in names
    did(server, "app", "delete", app["appId"])
    gone = linarite(server.home, "identity", "app", "show", "my-service")
    assert gone.returncode == 3
    assert "no application 'my-service'" in gone.stderr


def test_people_are_in_groups(server: Server, tmp_path: Path) -> None:
    """A user with a password of their own, one with a made-up one, and their group."""
    file = tmp_path / "password"
    file.write_text("correct horse battery staple\n")
    told(server, "user", "create", "ada@example.org", "--password-file", str(file))
    assert "shown only now" in did(server, "user", "create", "bob@example.org", "--name", "Bob")
    told(server, "group", "create", "search-team")
    did(server, "group", "member", "add", "search-team", "ada@example.org")
    did(server, "group", "member", "add", "search-team", "Bob")
    did(server, "group", "member", "remove", "search-team", "bob@example.org")
    members = told(server, "group", "member", "list", "search-team")
    assert [each["displayName"] for each in members] == ["ada"]
    disabled = told(server, "user", "update", "ada@example.org", "--disable")
    assert disabled["accountEnabled"] is False
    did(server, "user", "delete", "ada@example.org")
    assert told(server, "group", "member", "list", "search-team") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("app", "certificate", "add", "nobody", "nowhere.pem"), "nowhere.pem can't be read"),
        (("user", "create", "not-a-name"), "userPrincipalName"),
        (("group", "member", "add", "nothing", "nobody"), "no group 'nothing'"),
    ],
)
def test_refusals_teach(server: Server, arguments: tuple[str, ...], said: str) -> None:
    """In a line, without a traceback."""
    done = linarite(server.home, "identity", *arguments)
    assert done.returncode in {1, 3}
    assert said in done.stderr
    assert "Traceback" not in done.stderr
