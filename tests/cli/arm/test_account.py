"""`linarite account`, and what belongs to accounts, against a running server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from linarite.cli.account.columns import facts
from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from tests.serving import Server


def told(server: Server, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    """What a command prints as JSON."""
    done = linarite(server.home, *arguments, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_an_account_lives_twice(managed: Server) -> None:
    """Made, changed, deleted, recovered with its keys, deleted, purged."""
    line = "account create -n team-a -g linarite --kind OpenAI --sku S0 -l local --yes"
    assert told(managed, *line.split())["properties"]["provisioningState"] == "Succeeded"
    assert told(managed, "account", "show", "TEAM-A")["kind"] == "OpenAI"
    names = [each["name"] for each in told(managed, "account", "list")]
    assert sorted(names) == ["linarite", "team-a"]
    keys = told(managed, "account", "keys", "list", "team-a")
    after = told(managed, "account", "keys", "regenerate", "team-a", "--key-name", "Key2")
    assert after["key1"] == keys["key1"]
    assert after["key2"] != keys["key2"]
    changed = told(managed, "account", "update", "team-a", "--tags", "a=b", "--tags", "c")
    assert changed["tags"] == {"a": "b", "c": ""}
    assert told(managed, "account", "update", "team-a", "--tags", "").get("tags", {}) == {}

    assert linarite(managed.home, "account", "delete", "team-a").returncode == 0
    assert linarite(managed.home, "account", "show", "team-a").returncode == 3
    again = linarite(managed.home, "account", "create", "team-a")
    assert again.returncode == 1
    assert "linarite account recover" in again.stderr
    assert [each["name"] for each in told(managed, "account", "list-deleted")] == ["team-a"]
    shown = linarite(managed.home, "account", "show-deleted", "team-a")
    assert "linarite" in shown.stdout
    assert told(managed, "account", "recover", "team-a")["name"] == "team-a"
    assert told(managed, "account", "keys", "list", "team-a") == after

    assert linarite(managed.home, "account", "delete", "team-a").returncode == 0
    assert linarite(managed.home, "account", "purge", "team-a").returncode == 0
    assert linarite(managed.home, "account", "recover", "team-a").returncode == 3
    assert told(managed, "account", "list-deleted") == []


def test_an_account_shows_whom_it_lets_in_and_what_it_may_reach() -> None:
    """The rules themselves, not only what is done with whom none names."""
    rules = {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.0/24"}]}
    account: dict[str, Any] = {
        "id": "/subscriptions/s/resourceGroups/g/providers/p/accounts/one",
        "name": "one",
        "properties": {"networkAcls": rules, "restrictOutboundNetworkAccess": True},
    }
    assert facts(account)["network rules"] == "default Deny, 203.0.113.0/24"
    assert facts(account)["outbound"] == "no host"
    account["properties"] = {"allowedFqdnList": ["a.example"]}
    assert (facts(account)["network rules"], facts(account)["outbound"]) == ("", "")
    assert not facts(account)["stored content sealed by"]
    account["properties"] = {"encryption": {"keySource": "Microsoft.CognitiveServices"}}
    assert facts(account)["stored content sealed by"] == "Microsoft.CognitiveServices"


def test_what_can_be_had(managed: Server) -> None:
    """Models, quotas and SKUs, of an account and of a region."""
    models = [each["name"] for each in told(managed, "account", "list-models")]
    assert "gpt-4o" in models
    offered = told(managed, "model", "list", "--deployable")
    assert {each["model"]["name"] for each in offered} == set(models)
    lines = linarite(managed.home, "model", "list", "--deployable").stdout.splitlines()
    assert len(lines) == 1 + len(models)
    used = told(managed, "usage", "list", "--used")
    assert all(each["currentValue"] for each in used)
    assert len(told(managed, "usage", "list")) > len(used) > 0
    assert told(managed, "account", "list-usage")
    assert [each["sku"]["name"] for each in told(managed, "account", "list-skus")] == ["S0"]


def test_whatever_was_done_is_in_the_log(managed: Server) -> None:
    """With who did it and how it ended; other records are left out when a filter says so."""
    refused = linarite(managed.home, "deployment", "delete", "gpt-4o")
    assert refused.returncode == 1
    events = told(managed, "activity", "list", "--status", "failed", "--max-events", "1")
    (event,) = events
    assert event["operationName"]["value"].endswith("/deployments/delete")
    assert event["caller"] == "management-key"
    table = linarite(managed.home, "activity", "list", "-g", "linarite").stdout.splitlines()
    assert table[0].split()[:3] == ["TIME", "CALLER", "OPERATION"]
    assert told(managed, "activity", "list", "--end-time", "2020-01-01") == []
    for wrong in (("--offset", "soon"), ("--start-time", "noon"), ("-g", "it's")):
        assert linarite(managed.home, "activity", "list", *wrong).returncode == 2, wrong
