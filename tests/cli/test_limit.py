"""`linarite limit …` against a real server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import typer

from linarite.cli.limit.flags import Subject
from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from tests.serving import Server

CHAT = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"


def chat(server: Server, user: str) -> int:
    """A short one, for somebody."""
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 2, "user": user}
    headers = {"api-key": server.key}
    return httpx.post(f"{server.endpoint}{CHAT}", json=body, headers=headers).status_code


def told(server: Server, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What a command prints for programs."""
    done = linarite(server.home, "limit", *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_limit_from_its_making_to_its_end(server: Server) -> None:
    """By commands alone; it holds as soon as the command returns, and not after it is deleted."""
    made = linarite(
        *(server.home, "limit", "create", "users", "--each", "endUser"),
        *("--requests-per-minute", "1", "--tokens-per-day", "200"),
        *("--warn-at", "1", "--warn-at", "80"),
    )
    assert made.returncode == 0, made.stderr
    assert "each endUser" in made.stdout
    assert "200 tokens a day" in made.stdout
    assert [chat(server, "ann"), chat(server, "ann"), chat(server, "bob")] == [200, 429, 200]
    shown = linarite(server.home, "limit", "show", "users").stdout
    lines = [line.split() for line in shown.splitlines() if line.startswith("ann")]
    assert ["ann", "requestsPerMinute", "1", "1", "0", "100"] in lines
    told_of = linarite(server.home, "activity", "list").stdout
    assert "Linarite.Quota/usageLimits/warned/action" in told_of
    measured = httpx.get(f"{server.endpoint}/metrics", headers={"api-key": server.key}).text
    warned = 'linarite_usage_limit_warnings_total{limit="users",threshold="80"}'
    assert warned in measured
    again = linarite(server.home, "limit", "create", "users", "--each", "principal")
    assert again.returncode == 1
    assert "linarite limit update users" in again.stderr
    changed = told(server, "update", "users", "--requests-per-minute", "0")
    assert "requestsPerMinute" not in changed["properties"]
    assert chat(server, "ann") == 200
    listed = linarite(server.home, "limit", "list").stdout
    assert "users" in listed
    assert linarite(server.home, "limit", "delete", "users").returncode == 0
    assert "No limits yet" in linarite(server.home, "limit", "list").stderr


def test_a_limit_may_span_accounts(server: Server) -> None:
    """Set on the subscription; a list of the account's own does not have it."""
    told(server, "create", "all", "--of", "subscription", "--subscription", "--cost-per-day", "5")
    assert told(server, "show", "all", "--subscription")["properties"]["costPerDay"] == 5
    assert [each["name"] for each in told(server, "list", "--subscription")] == ["all"]
    assert told(server, "list") == []
    assert linarite(server.home, "limit", "delete", "all", "--subscription").returncode == 0


@pytest.mark.parametrize(
    ("of", "each", "says"),
    [
        (None, None, "--of KIND=NAME for one"),
        ("principal=x", "principal", "--of KIND=NAME for one"),
        ("person=x", None, "There is no kind 'person'"),
        ("principal", None, "Which one?"),
        (None, "principal=x", "is one."),
    ],
)
def test_what_is_typed_wrong_is_told(of: str | None, each: str | None, says: str) -> None:
    """Before any server is asked."""
    with pytest.raises(typer.BadParameter, match=says):
        _ = Subject(of=of, each=each).properties


def test_tags_are_one_or_each_value() -> None:
    """As they are written in the file too."""
    assert Subject(of="tag=team=search").properties == {
        "appliesTo": {"kind": "tag", "name": "team=search"}
    }
    assert Subject(each="tag=team").properties == {"appliesTo": {"kind": "tag", "name": "team"}}
