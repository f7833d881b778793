"""What the tests of templates share: a place to deploy to, and short ways to ask."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from linarite.controlplane.templates.evaluation import Evaluator
from linarite.controlplane.templates.facts import Fact, Facts, Surroundings
from linarite.controlplane.templates.plan import Plan, draft
from linarite.controlplane.templates.scope import Names, OwnFunction, Place, Scope

SUBSCRIPTION_ID = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
ACCOUNTS = "Microsoft.CognitiveServices/accounts"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"

HERE = Surroundings(
    subscription={
        "id": SUBSCRIPTION,
        "subscriptionId": SUBSCRIPTION_ID,
        "tenantId": "22222222-2222-2222-2222-222222222222",
        "displayName": "Test",
    },
    deployment={"name": "main", "properties": {"mode": "Incremental"}},
    resource_group={"id": GROUP, "name": "rg", "location": "swedencentral"},
    environment={"name": "Linarite", "resourceManager": "https://localhost/"},
    deployer={"objectId": "33333333-3333-3333-3333-333333333333"},
    now=datetime(2026, 3, 31, 13, 5, 9, 123456, tzinfo=UTC),
)


def value_of(
    expression: str,
    *,
    parameters: dict[str, Any] | None = None,
    variables: dict[str, Any] | None = None,
    functions: dict[str, OwnFunction] | None = None,
    place: Place | None = None,
) -> Any:  # noqa: ANN401 - JSON is anything
    """What an expression, written without its brackets, evaluates to."""
    scope = Scope(Names(parameters or {}, variables, functions), HERE)
    return Evaluator(scope, place).value(f"[{expression}]")


def template(**sections: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is anything
    """A template with these sections."""
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [], **sections}


def account(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is anything
    """The declaration of an account."""
    return {"type": ACCOUNTS, "apiVersion": "2024-10-01", "name": name, **more}


def plan(given: dict[str, Any] | None = None, /, **sections: Any) -> Plan:  # noqa: ANN401 - any JSON
    """The plan of a template with these sections."""
    return draft(template(**sections), given or {}, HERE)


def ids(planned: Plan) -> list[str]:
    """What is written, in order, without what all ids begin with."""
    return [
        resource.id.removeprefix(f"{GROUP}/providers/").removeprefix(SUBSCRIPTION)
        for resource in planned.resources
    ]


def known(resource_id: str, version: str = "2024-10-01", **resource: Any) -> Facts:  # noqa: ANN401 - any JSON
    """The fact that a resource exists."""
    return {Fact(resource_id, version).key: resource}
