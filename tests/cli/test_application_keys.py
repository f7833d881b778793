"""`linarite keys application …` against a real server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.cli.keys.application.flags import expiry
from linarite.domain.errors import SetupError
from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from tests.serving import Server

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def told(server: Server, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What a command prints for programs."""
    done = linarite(server.home, "keys", "application", *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def status(server: Server, key: str) -> int:
    """What a key gets."""
    headers = {"api-key": key}
    return httpx.get(f"{server.endpoint}/openai/v1/models", headers=headers).status_code


def test_a_key_from_its_making_to_its_end(server: Server) -> None:
    """By commands alone; a key is printed when it is made, with a warning, and never again."""
    made = linarite(
        *(server.home, "keys", "application", "create", "web", "--expires", "90d"),
        *("--deployment", "gpt-4o", "--owner", "ada", "--tokens-per-minute", "1000"),
    )
    assert made.returncode == 0, made.stderr
    assert "shown only now" in made.stderr
    facts = dict(
        line.split(maxsplit=1) for line in made.stdout.splitlines() if "minute" not in line
    )
    assert status(server, facts["key"]) == 200
    shown = told(server, "show", "web")["properties"]
    assert (shown["deployments"], shown["owner"]) == (["gpt-4o"], "ada")
    assert shown["quota"] == {"tokensPerMinute": 1000}
    ends = datetime.fromisoformat(shown["expiresAt"])
    assert timedelta(days=89) < ends - datetime.now(UTC) <= timedelta(days=90)
    new = told(server, "regenerate", "web")["properties"]["key"]
    assert (status(server, facts["key"]), status(server, new)) == (401, 200)
    listed = linarite(server.home, "keys", "application", "list").stdout
    assert "ada" in listed
    assert new not in listed
    assert linarite(server.home, "keys", "application", "delete", "web").returncode == 0
    assert status(server, new) == 401


def test_a_second_of_the_same_name_is_refused(server: Server) -> None:
    """It would take the first one's expiry and limits away without a word."""
    key = told(server, "create", "twice", "--expires", "8w")["properties"]["key"]
    done = linarite(server.home, "keys", "application", "create", "twice")
    assert done.returncode == 1
    assert "linarite keys application regenerate twice" in done.stderr
    assert told(server, "show", "twice")["properties"]["expiresAt"]
    assert status(server, key) == 200


def test_a_deployment_that_is_not_there_is_told(server: Server) -> None:
    """A key for it would open nothing; one that is still to be made can be said to be."""
    arguments = ("keys", "application", "create", "later")
    done = linarite(server.home, *arguments, "--deployment", "GPT-4o", "--deployment", "gtp-4o")
    assert done.returncode == 3
    assert "no deployment 'gtp-4o'" in done.stderr
    assert "gpt-4o" in done.stderr.partition("There are:")[2]
    assert "--allow-absent" in done.stderr
    made = told(server, "create", "later", "--deployment", "gtp-4o", "--allow-absent")
    assert made["properties"]["deployments"] == ["gtp-4o"]


def test_a_role_is_named_as_people_name_it(server: Server) -> None:
    """By its name; an unknown one is answered with those that help."""
    role = "cognitive services openai contributor"
    made = told(server, "create", "role", "--role", role)
    assert made["properties"]["roleDefinitionId"].endswith("a001fd3d-188f-4b5d-821b-7da978bf7442")
    done = linarite(server.home, "keys", "application", "create", "x", "--role", "nonsense")
    assert done.returncode == 3
    assert "Cognitive Services OpenAI User" in done.stderr


@pytest.mark.parametrize(
    ("typed", "ends"),
    [
        ("12h", "2026-03-02T00:00:00Z"),
        ("90D", "2026-05-30T12:00:00Z"),
        ("1w", "2026-03-08T12:00:00Z"),
        ("2027-01-31", "2027-01-31T00:00:00Z"),
        ("2027-01-31T12:00:00+02:00", "2027-01-31T10:00:00Z"),
    ],
)
def test_an_expiry_is_a_lifetime_or_a_time(typed: str, ends: str) -> None:
    """Both as people write them."""
    assert expiry(typed, NOW) == ends


@pytest.mark.parametrize("typed", ["", "0d", "90", "-1d", "1.5d", "3m", "999999d", "tomorrow"])
def test_another_expiry_is_explained(typed: str) -> None:
    """With how to write it."""
    with pytest.raises(SetupError, match="90d"):
        expiry(typed, NOW)
