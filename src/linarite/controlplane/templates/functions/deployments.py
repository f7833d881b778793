"""Functions that look at the template and its deployment.

Source: "Deployment functions", "Scope functions" and "Lambda functions for ARM templates".
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from linarite.controlplane.templates.functions.builtin import Builtin, Evaluation, asking, pure
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import integer, text

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Value


def parameters(evaluation: Evaluation, name: Value) -> Value:
    """A parameter's value."""
    return evaluation.named("parameter", text(name))


def variables(evaluation: Evaluation, name: Value) -> Value:
    """A variable's value."""
    return evaluation.named("variable", text(name))


def lambda_variables(evaluation: Evaluation, name: Value) -> Value:
    """The value that a lambda was called with."""
    return evaluation.named("lambda variable", text(name))


def copy_index(evaluation: Evaluation, first: Value = None, offset: Value = None) -> Value:
    """Where the copy loop is: `copyIndex([loop], [offset])`."""
    name = first if isinstance(first, str) else ""
    shift = offset if isinstance(first, str) else first
    at = evaluation.named("copy loop", name)
    return integer(at) + (0 if shift is None else integer(shift))


def deployment(evaluation: Evaluation) -> Value:
    """The deployment under way."""
    return {**evaluation.surroundings.deployment}


def environment(evaluation: Evaluation) -> Value:
    """The cloud: this server."""
    return {**evaluation.surroundings.environment}


def deployer(evaluation: Evaluation) -> Value:
    """Who deploys."""
    return {**evaluation.surroundings.deployer}


def subscription(evaluation: Evaluation) -> Value:
    """The subscription that is deployed to."""
    return {**evaluation.surroundings.subscription}


def tenant(evaluation: Evaluation) -> Value:
    """The tenant of that subscription."""
    tenant_id: Value = evaluation.surroundings.subscription.get("tenantId")
    return {"tenantId": tenant_id}


def resource_group(evaluation: Evaluation) -> Value:
    """The resource group that is deployed to."""
    group = evaluation.surroundings.resource_group
    if group is None:
        raise ExpressionFailed(
            "The template function 'RESOURCEGROUP' is not expected at this location: this "
            "deployment is at a subscription. Please see https://aka.ms/arm-functions for usage "
            "details."
        )
    return {**group}


def new_guid(_evaluation: Evaluation) -> Value:
    """Another GUID each time. Only a parameter's default value may ask."""
    return str(uuid.uuid4())


def fail(message: Value) -> Value:
    """Stop the deployment with a message."""
    raise ExpressionFailed(text(message))


DEPLOYMENTS: dict[str, Builtin] = {
    "copyIndex": asking(copy_index, 0, 2),
    "deployer": asking(deployer),
    "deployment": asking(deployment),
    "environment": asking(environment),
    "fail": pure(fail),
    "lambdaVariables": asking(lambda_variables, 1),
    "newGuid": asking(new_guid),
    "parameters": asking(parameters, 1),
    "resourceGroup": asking(resource_group),
    "subscription": asking(subscription),
    "tenant": asking(tenant),
    "variables": asking(variables, 1),
}
