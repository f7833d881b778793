"""`linarite policy` against a running server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

APPROVED = "11a121a7-e000-4000-8000-000000000001"
GUARDRAILS = "11a121a7-e000-4000-8000-000000000101"
DEPLOYMENTS = "Microsoft.CognitiveServices/accounts/deployments"


def done(server: Server, line: str, *more: str) -> str:
    """What a command prints."""
    ran = linarite(server.home, "policy", *line.split(), *more)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def told(server: Server, line: str, *more: str) -> Any:  # noqa: ANN401 - JSON
    """What it prints as JSON."""
    return json.loads(done(server, line, *more, "-o", "json"))


def test_only_approved_models_are_deployed(managed: Server) -> None:
    """The refusal is in the assigner's words; what was there before does not comply."""
    assign = "assignment create -n approved -g linarite --policy"
    message = ("--message", "Ask the platform team.")
    done(managed, f"{assign} {APPROVED}", "-p", 'allowedModels=["gpt-5"]', *message)
    refused = linarite(managed.home, "deployment", "create", "new", "--model", "gpt-4o")
    assert refused.returncode == 1
    assert "RequestDisallowedByPolicy" in refused.stderr
    assert "Ask the platform team." in refused.stderr
    failing = ("--filter", "complianceState eq 'NonCompliant'")
    states = told(managed, "state list -g linarite", *failing)
    assert {each["resourceType"] for each in states} == {DEPLOYMENTS}
    assert "deployments/gpt-4o" in done(managed, "state list -g linarite")
    assert done(managed, "state summarize").splitlines()[1].split()[:2] == [
        "approved",
        str(len(states)),
    ]
    assert "Evaluated." in done(managed, "state trigger-scan")
    assert "gpt-5" in done(managed, "assignment show -n approved -g linarite")
    assert "approved is deleted." in done(managed, "assignment delete -n approved -g linarite")
    assert "no assignment" in done(managed, "assignment delete -n approved -g linarite")
    assert "Nothing is assigned." in done(managed, "assignment list")


def test_definitions_are_made_from_files_as_az_takes_them(managed: Server, tmp_path: Path) -> None:
    """With parameters; what is wrong with a rule is told with its place."""
    rule: dict[str, Any] = {
        "if": {"field": f"{DEPLOYMENTS}/sku.capacity", "greater": "[parameters('most')]"},
        "then": {"effect": "deny"},
    }
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(rule))
    params = ("--params", '{"most": {"type": "Integer", "defaultValue": 2}}')
    done(managed, f"definition create -n small --mode All --rules {file}", *params)
    assert told(managed, "definition show -n small")["properties"]["policyRule"] == rule
    names = [each["name"] for each in told(managed, "definition list --type Custom")]
    assert names == ["small"]
    assert APPROVED in done(managed, "definition list")
    done(managed, "assignment create -n small --policy small -p most=1")
    create = ("deployment", "create", "big", "--model", "gpt-4o", "--capacity", "5")
    assert "RequestDisallowedByPolicy" in linarite(managed.home, *create).stderr
    done(managed, "assignment delete -n small")
    assert "small is deleted." in done(managed, "definition delete -n small")
    rule["if"]["field"] = f"{DEPLOYMENTS}/sku.capacty"
    bad = linarite(
        managed.home, "policy", "definition", "create", "-n", "x", "--rules", json.dumps(rule)
    )
    assert "policyRule.if.field" in bad.stderr
    assert f"{DEPLOYMENTS}/sku.capacity" in bad.stderr


def test_what_is_typed_wrongly_is_told(managed: Server) -> None:
    """In words for whoever typed it."""
    for line, said in [
        ("assignment create -n x", "--policy"),
        ("assignment create -n x --policy none", "There is no policy none"),
        (f"assignment create -n x --policy {APPROVED}", "MissingPolicyParameter"),
        (f"assignment create -n x -d {GUARDRAILS} --scope /a -g b", "Two scopes"),
        ("definition create -n x --rules [1]", "can't be read"),
    ]:
        ran = linarite(managed.home, "policy", *line.split())
        assert ran.returncode != 0
        assert said in ran.stderr, ran.stderr
