"""The definitions that every server has: Azure's own GUIDs where Azure has the same policy.

Source: "Azure Policy built-in definitions for Azure AI services" and "… for tags", by their
published names, parameters and effects; the rules are written for Linarite's resources, every
account of which can have network rules and keys of its own.
"""

from __future__ import annotations

from typing import Any

from linarite.controls.policy.aliases import ACCOUNT, DATA_DEPLOYMENT, DEPLOYMENT
from linarite.controls.policy.definitions import DATA_MODE, DEFINITION_TYPE, SET_TYPE
from linarite.domain.resource import Resource

PREFIX = "/providers/Microsoft.Authorization"
CONTRIBUTOR = (
    "/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"
)
AI_SERVICES = "Cognitive Services"
OURS = "Linarite"
APPROVED_MODELS = "11a121a7-e000-4000-8000-000000000001"
IN_ZONE = "11a121a7-e000-4000-8000-000000000002"
GUARDRAILS = "11a121a7-e000-4000-8000-000000000101"
IN_ZONE_SKUS = [
    "Standard",
    "DataZoneStandard",
    "DataZoneBatch",
    "ProvisionedManaged",
    "DataZoneProvisionedManaged",
]
"""the deployment types that do not leave the account's region or data zone"""


def _effect(*allowed: str) -> dict[str, Any]:
    return {
        "effect": {
            "type": "String",
            "allowedValues": [*allowed],
            "defaultValue": allowed[0],
            "metadata": {"displayName": "Effect"},
        }
    }


def _list(title: str, default: list[str] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "Array", "metadata": {"displayName": title}}
    return told if default is None else told | {"defaultValue": default}


def _of(type_: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"allOf": [{"field": "type", "equals": type_}, *conditions]}


def _definition(  # noqa: PLR0913 - a row's columns
    guid: str,
    title: str,
    description: str,
    condition: dict[str, Any],
    parameters: dict[str, Any],
    *,
    category: str = AI_SERVICES,
    mode: str = "Indexed",
    then: dict[str, Any] | None = None,
) -> Resource:
    return Resource(
        id=f"{PREFIX}/policyDefinitions/{guid}",
        type=DEFINITION_TYPE,
        name=guid,
        properties={
            "displayName": title,
            "policyType": "BuiltIn",
            "mode": mode,
            "description": description,
            "metadata": {"version": "1.0.0", "category": category},
            "version": "1.0.0",
            "parameters": parameters,
            "policyRule": {
                "if": condition,
                "then": {"effect": "[parameters('effect')]"} if then is None else then,
            },
            "versions": ["1.0.0"],
        },
    )


def _setting(alias: str, value: object) -> dict[str, Any]:
    """A `modify` that sets one property of accounts."""
    return {
        "effect": "[parameters('effect')]",
        "details": {
            "roleDefinitionIds": [CONTRIBUTOR],
            "conflictEffect": "audit",
            "operations": [
                {"operation": "addOrReplace", "field": f"{ACCOUNT}/{alias}", "value": value}
            ],
        },
    }


_KEYS_ON = {"field": f"{ACCOUNT}/disableLocalAuth", "notEquals": True}
_PUBLIC = {"field": f"{ACCOUNT}/publicNetworkAccess", "notEquals": "Disabled"}
_APPROVED = f"{PREFIX}/policyDefinitions/{APPROVED_MODELS}"
_ZONE = f"{PREFIX}/policyDefinitions/{IN_ZONE}"

BUILT_IN: tuple[Resource, ...] = (
    _definition(
        "71ef260a-8f18-47b7-abcb-62d0673d94dc",
        "Azure AI Services resources should have key access disabled (disable local "
        "authentication)",
        "Without keys, every call is made by an identity that roles are assigned to.",
        _of(ACCOUNT, _KEYS_ON),
        _effect("Audit", "Deny", "Disabled"),
    ),
    _definition(
        "14de9e63-1b31-492e-a5a3-c3f7fd57f555",
        "Configure Azure AI Services resources to disable local key access (disable local "
        "authentication)",
        "Turns keys off on every account that is written.",
        _of(ACCOUNT, _KEYS_ON),
        _effect("Modify", "Disabled"),
        then=_setting("disableLocalAuth", value=True),
    ),
    _definition(
        "0725b4dd-7e76-479c-a735-68e7ee23d5ca",
        "Cognitive Services accounts should disable public network access",
        "An account without public network access is reached through private endpoints only.",
        _of(ACCOUNT, _PUBLIC),
        _effect("Audit", "Deny", "Disabled"),
    ),
    _definition(
        "47ba1dd7-28d9-4b07-a8d5-9813bed64e0c",
        "Configure Cognitive Services accounts to disable public network access",
        "Turns public network access off on every account that is written.",
        _of(ACCOUNT, _PUBLIC),
        _effect("Modify", "Disabled"),
        then=_setting("publicNetworkAccess", "Disabled"),
    ),
    _definition(
        "037eea7a-bd0a-46c5-9a66-03aea78705d3",
        "Azure AI Services resources should restrict network access",
        "An account whose network rules refuse by default is reached from named networks only.",
        _of(ACCOUNT, {"field": f"{ACCOUNT}/networkAcls.defaultAction", "notEquals": "Deny"}),
        _effect("Audit", "Deny", "Disabled"),
    ),
    _definition(
        "67121cc7-ff39-4ab8-b7e3-95b84dab487d",
        "Azure AI Services resources should encrypt data at rest with a customer-managed key (CMK)",
        "What an account stores is sealed under a key that its owner holds.",
        _of(
            ACCOUNT,
            {"field": f"{ACCOUNT}/encryption.keySource", "notEquals": "Microsoft.KeyVault"},
        ),
        _effect("Audit", "Deny", "Disabled"),
    ),
    _definition(
        "cddd188c-4b82-4c48-a19d-ddf74ee66a01",
        "Azure AI Services resources should use Azure Private Link",
        "An account has at least one private endpoint that was approved.",
        _of(
            ACCOUNT,
            {
                "count": {
                    "field": f"{ACCOUNT}/privateEndpointConnections[*]",
                    "where": {
                        "field": f"{ACCOUNT}/privateEndpointConnections[*]"
                        ".privateLinkServiceConnectionState.status",
                        "equals": "Approved",
                    },
                },
                "less": 1,
            },
        ),
        _effect("Audit", "Disabled"),
    ),
    _definition(
        "aafe3651-cb78-4f68-9f81-e7e41509110f",
        "Cognitive Services Deployments should only use approved Registry Models",
        "Names publishers, or asset ids of which a part is enough, that may be deployed.",
        _of(
            DATA_DEPLOYMENT,
            {
                "field": f"{DATA_DEPLOYMENT}/model.publisher",
                "notIn": "[parameters('allowedPublishers')]",
            },
            {
                "count": {
                    "value": "[parameters('allowedAssetIds')]",
                    "name": "allowed",
                    "where": {
                        "field": f"{DATA_DEPLOYMENT}/model.assetId",
                        "contains": "[current('allowed')]",
                    },
                },
                "equals": 0,
            },
        ),
        _effect("Audit", "Deny", "Disabled")
        | {
            "allowedPublishers": _list("Allowed Model Publishers", []),
            "allowedAssetIds": _list("Allowed Asset Ids", []),
        },
        mode=DATA_MODE,
    ),
    _definition(
        "e56962a6-4747-49cd-b67b-bf8b01975c4c",
        "Allowed locations",
        "Names the locations in which resources may be made.",
        {
            "allOf": [
                {"field": "location", "exists": "true"},
                {"field": "location", "notIn": "[parameters('listOfAllowedLocations')]"},
                {"field": "location", "notEquals": "global"},
            ]
        },
        {"listOfAllowedLocations": _list("Allowed locations")},
        category="General",
        then={"effect": "deny"},
    ),
    _definition(
        "e765b5de-1225-4ba3-bd56-1ac6695af988",
        "Allowed locations for resource groups",
        "Names the locations in which resource groups may be made.",
        _of(
            "Microsoft.Resources/subscriptions/resourceGroups",
            {"field": "location", "notIn": "[parameters('listOfAllowedLocations')]"},
        ),
        {"listOfAllowedLocations": _list("Allowed locations")},
        category="General",
        mode="All",
        then={"effect": "deny"},
    ),
    _definition(
        "871b6d14-10aa-478d-b590-94f262ecfa99",
        "Require a tag on resources",
        "Refuses resources without a tag. Resource groups are not asked.",
        {"field": "[concat('tags[', parameters('tagName'), ']')]", "exists": "false"},
        {"tagName": {"type": "String", "metadata": {"displayName": "Tag Name"}}},
        category="Tags",
        then={"effect": "deny"},
    ),
    _definition(
        APPROVED_MODELS,
        "Only approved models may be deployed",
        "Names models, each as 'name' or as 'name,version'. Nothing else may be deployed.",
        _of(
            DEPLOYMENT,
            {
                "count": {
                    "value": "[parameters('allowedModels')]",
                    "name": "allowed",
                    "where": {
                        "allOf": [
                            {
                                "field": f"{DEPLOYMENT}/model.name",
                                "equals": "[first(split(current('allowed'), ','))]",
                            },
                            {
                                "anyOf": [
                                    {
                                        "value": "[contains(current('allowed'), ',')]",
                                        "equals": False,
                                    },
                                    {
                                        "field": f"{DEPLOYMENT}/model.version",
                                        "equals": "[last(split(current('allowed'), ','))]",
                                    },
                                ]
                            },
                        ]
                    },
                },
                "equals": 0,
            },
        ),
        _effect("Deny", "Audit", "Disabled") | {"allowedModels": _list("Allowed models")},
        category=OURS,
        mode="All",
    ),
    _definition(
        IN_ZONE,
        "Deployments should stay in their region or data zone",
        "Names the deployment types that may be used; those that reach around the world are left "
        "out unless they are named.",
        _of(
            DEPLOYMENT,
            {"field": f"{DEPLOYMENT}/sku.name", "notIn": "[parameters('allowedSkus')]"},
        ),
        _effect("Deny", "Audit", "Disabled")
        | {"allowedSkus": _list("Allowed deployment types", IN_ZONE_SKUS)},
        category=OURS,
        mode="All",
    ),
)
BUILT_IN_SETS: tuple[Resource, ...] = (
    Resource(
        id=f"{PREFIX}/policySetDefinitions/{GUARDRAILS}",
        type=SET_TYPE,
        name=GUARDRAILS,
        properties={
            "displayName": "Guardrails for model deployments",
            "policyType": "BuiltIn",
            "description": "Only approved models, only in their region or data zone.",
            "metadata": {"version": "1.0.0", "category": OURS},
            "version": "1.0.0",
            "parameters": _effect("Deny", "Audit", "Disabled")
            | {
                "allowedModels": _list("Allowed models"),
                "allowedSkus": _list("Allowed deployment types", IN_ZONE_SKUS),
            },
            "policyDefinitions": [
                {
                    "policyDefinitionId": _APPROVED,
                    "policyDefinitionReferenceId": "approvedModels",
                    "parameters": {
                        "effect": {"value": "[parameters('effect')]"},
                        "allowedModels": {"value": "[parameters('allowedModels')]"},
                    },
                },
                {
                    "policyDefinitionId": _ZONE,
                    "policyDefinitionReferenceId": "inZone",
                    "parameters": {
                        "effect": {"value": "[parameters('effect')]"},
                        "allowedSkus": {"value": "[parameters('allowedSkus')]"},
                    },
                },
            ],
            "versions": ["1.0.0"],
        },
    ),
)
