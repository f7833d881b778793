"""Rules and resources to try policies on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.policy.expressions import TemplateExpressions
from linarite.controls.policy.definitions import DEFINITION_TYPE, Definition, read_definition
from linarite.controls.policy.evaluation import Evaluation, World
from linarite.controls.policy.parameters import filled
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from linarite.domain.arm_errors import Problem

ACCOUNTS = "Microsoft.CognitiveServices/accounts"
EXPRESSIONS = TemplateExpressions()
GROUP = "/subscriptions/s/resourceGroups/rg"
WORLD = World(
    subscription={"id": "/subscriptions/s", "subscriptionId": "s"},
    resource_group={"id": GROUP, "name": "rg", "location": "eastus2", "tags": {"env": "prod"}},
    request={"apiVersion": "2025-09-01"},
    now="2026-11-26T12:00:00Z",
)
ACCOUNT: dict[str, Any] = {
    "id": f"{GROUP}/providers/{ACCOUNTS}/one",
    "name": "one",
    "fullName": "one",
    "type": ACCOUNTS,
    "kind": "OpenAI",
    "location": "eastus2",
    "sku": {"name": "S0"},
    "tags": {"Team": "Blue", "cost.center": "7", "it's": "x"},
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "disableLocalAuth": False,
        "networkAcls": {
            "defaultAction": "Allow",
            "ipRules": [{"value": "10.0.0.0/8"}, {"value": "192.168.1.7"}],
        },
        "allowedFqdnList": [],
    },
}


def read(
    condition: Any,  # noqa: ANN401 - JSON
    then: dict[str, Any] | None = None,
    parameters: dict[str, Any] | None = None,
    mode: str = "All",
) -> tuple[Definition, list[Problem]]:
    """A definition with a rule, and what is wrong with it."""
    properties: dict[str, Any] = {
        "mode": mode,
        "parameters": parameters or {},
        "policyRule": {"if": condition, "then": {"effect": "audit"} if then is None else then},
    }
    path = f"/subscriptions/s/providers/{DEFINITION_TYPE}/d"
    return read_definition(Resource(path, DEFINITION_TYPE, "d", properties), EXPRESSIONS)


def met(
    condition: Any,  # noqa: ANN401 - JSON
    content: dict[str, Any] = ACCOUNT,
    *,
    declared: dict[str, Any] | None = None,
    given: dict[str, Any] | None = None,
) -> bool:
    """Whether a rule's `if` holds; the rule must be right."""
    definition, problems = read(condition, parameters=declared)
    assert not problems, problems
    parameters = filled(definition.declared, given or {})
    return Evaluation(EXPRESSIONS, content, WORLD, parameters).holds(definition.condition)
