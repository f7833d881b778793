"""Resource ids, and what exists under them. Source: "Resource functions for ARM templates".

What reads the world (`reference`, `list…`) has a value only once the deployment comes to it.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, cast

import msgspec

from linarite.controlplane.templates.facts import Fact
from linarite.controlplane.templates.functions.builtin import (
    UNBOUNDED,
    Builtin,
    Declared,
    Evaluation,
    asking,
)
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.resource_ids import provider_id
from linarite.controlplane.templates.values import find, mapping, text

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Value


def resource_id(evaluation: Evaluation, *parts: Value) -> Value:
    """`resourceId([subscription], [resource group], type, names…)`."""
    given = [text(part) for part in parts]
    at = _type_at("resourceId", given)
    surroundings = evaluation.surroundings
    scope = surroundings.scope_id
    if at == 1 and not _is_guid(given[0]):
        scope = f"{surroundings.subscription['id']}/resourceGroups/{given[0]}"
    elif at == 1:
        scope = f"/subscriptions/{given[0]}"
    elif at > 1:
        scope = f"/subscriptions/{given[0]}/resourceGroups/{given[1]}"
    return _id("resourceId", scope, given[at], given[at + 1 :])


def subscription_resource_id(evaluation: Evaluation, *parts: Value) -> Value:
    """`subscriptionResourceId([subscription], type, names…)`."""
    given = [text(part) for part in parts]
    at = _type_at("subscriptionResourceId", given)
    scope = f"/subscriptions/{given[0]}" if at else str(evaluation.surroundings.subscription["id"])
    return _id("subscriptionResourceId", scope, given[at], given[at + 1 :])


def tenant_resource_id(_evaluation: Evaluation, *parts: Value) -> Value:
    """`tenantResourceId(type, names…)`."""
    kind, *names = [text(part) for part in parts]
    return _id("tenantResourceId", "", kind, names)


def extension_resource_id(_evaluation: Evaluation, *parts: Value) -> Value:
    """`extensionResourceId(id of the resource, type, names…)`."""
    base, kind, *names = [text(part) for part in parts]
    return _id("extensionResourceId", base.rstrip("/"), kind, names)


def _type_at(function: str, given: list[str]) -> int:
    at = next((place for place, part in enumerate(given) if "/" in part), None)
    if at is None:
        raise ExpressionFailed(
            f"Unable to evaluate template language function '{function}': the type of resource "
            f"'{given[0][:100]}' must have a namespace: 'Microsoft.CognitiveServices/accounts'."
        )
    return at


def _id(function: str, scope: str, kind: str, names: list[str]) -> Value:
    try:
        return provider_id(scope, kind, "/".join(names))
    except ValueError as reason:
        raise ExpressionFailed(
            f"Unable to evaluate template language function '{function}': {reason}"
        ) from None


def _is_guid(part: str) -> bool:
    try:
        uuid.UUID(part)
    except ValueError:
        return False
    return True


def reference(
    evaluation: Evaluation, wanted: Value, version: Value = None, full: Value = None
) -> Value:
    """The properties of a resource, or with 'Full' all of it."""
    declared = evaluation.declared(text(wanted))
    known = declared[0] if declared else None
    fact = _fact("reference", text(wanted), version, known)
    whole = mapping(evaluation.fact(fact))
    if full is not None:
        if text(full).lower() != "full":
            raise ExpressionFailed("The third argument of 'reference' can only be 'Full'.")
        return {key: value for key, value in whole.items() if key not in {"id", "name", "type"}}
    key = find(whole, "properties")
    return {} if key is None else whole[key]


def references(evaluation: Evaluation, symbol: Value, full: Value = None) -> Value:
    """The properties of every resource of a copy loop."""
    return [
        reference(evaluation, declared.id, declared.api_version, full)
        for declared in evaluation.declared(text(symbol))
    ]


def resource_info(evaluation: Evaluation, symbol: Value) -> Value:
    """Id, name and type of a resource by its symbolic name, known before it exists."""
    declared = evaluation.declared(text(symbol))
    if not declared:
        raise ExpressionFailed(f"The resource '{text(symbol)}' is not defined in the template.")
    known = declared[0]
    return {
        "id": known.id,
        "name": known.name,
        "type": known.type,
        "apiVersion": known.api_version,
    }


def list_action(action: str, evaluation: Evaluation, *arguments: Value) -> Value:
    """`listKeys(resource, version, [body])` and its like: the answer to that POST."""
    wanted, version, body = (*arguments, None, None)[:3]
    declared = evaluation.declared(text(wanted))
    fact = _fact(action, text(wanted), version, declared[0] if declared else None)
    sent = b"" if body is None else msgspec.json.encode(mapping(body))
    return evaluation.fact(Fact(fact.resource_id, fact.api_version, action, sent))


def _fact(function: str, wanted: str, version: Value, known: Declared | None) -> Fact:
    if known is None and not wanted.startswith("/"):
        raise ExpressionFailed(
            f"The resource reference '{wanted[:200]}' is not valid: '{function}' takes the name of "
            "a resource of this template, or a full resource id."
        )
    if version is None and known is None:
        raise ExpressionFailed(
            f"The function '{function}' needs an api-version for '{wanted}', which this template "
            "does not deploy."
        )
    chosen = known.api_version if version is None and known is not None else text(version)
    return Fact(known.id if known is not None else wanted, chosen)


def pick_zones(_evaluation: Evaluation, *_arguments: Value) -> Value:
    """No zones: one machine has none to choose from."""
    return cast("list[Value]", [])


RESOURCES: dict[str, Builtin] = {
    "extensionResourceId": asking(extension_resource_id, 3, UNBOUNDED),
    "pickZones": asking(pick_zones, 3, 5),
    "reference": asking(reference, 1, 3),
    "references": asking(references, 1, 2),
    "resourceId": asking(resource_id, 2, UNBOUNDED),
    "resourceInfo": asking(resource_info, 1),
    "subscriptionResourceId": asking(subscription_resource_id, 2, UNBOUNDED),
    "tenantResourceId": asking(tenant_resource_id, 2, UNBOUNDED),
}
