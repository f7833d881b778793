"""What a network security perimeter says of an account, as the account shows it.

Source: `NetworkSecurityPerimeterConfiguration` of Microsoft.CognitiveServices, 2025-09-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of
from linarite.domain.arm_errors import resource_not_found
from linarite.domain.perimeter import mode_of
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.perimeter import Associated

TYPE = "Microsoft.CognitiveServices/accounts/networkSecurityPerimeterConfigurations"
RULE_WORDS = (
    "direction",
    "addressPrefixes",
    "subscriptions",
    "networkSecurityPerimeters",
    "fullyQualifiedDomainNames",
)
CATEGORIES = (
    "NspPublicInboundPerimeterRulesAllowed",
    "NspPublicInboundPerimeterRulesDenied",
    "NspPublicOutboundPerimeterRulesAllowed",
    "NspPublicOutboundPerimeterRulesDenied",
    "NspIntraPerimeterInboundAllowed",
    "NspPublicInboundResourceRulesAllowed",
    "NspPublicInboundResourceRulesDenied",
    "NspPublicOutboundResourceRulesAllowed",
)


def derived(surface: Surface, parent: str) -> Sequence[Resource]:
    """One, where the account is in a perimeter."""
    found = surface.perimeters.association_of(parent)
    return [_configuration(parent, found)] if found is not None else []


async def reconcile(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """There is nothing to bring into line: rules act as soon as they are written.

    Raises ArmError 404 where the account is in no such perimeter.
    """
    del request
    account = await account_of(surface, target)
    wanted = target["configuration"].lower()
    for each in derived(surface, account.id):
        if each.name.lower() == wanted:
            shown = {"id": each.id, "name": each.name, "type": TYPE}
            return Answer(200, {**shown, "properties": each.properties})
    name = f"{account.name}/{target['configuration']}"
    raise resource_not_found(TYPE, name, target["resource_group"])


def _configuration(account_id: str, found: Associated) -> Resource:
    guid = str(found.perimeter.properties.get("perimeterGuid") or "")
    name = f"{guid}.{found.association.name}"
    versions = found.profile.properties
    return Resource(
        id=f"{account_id}/networkSecurityPerimeterConfigurations/{name}",
        type=TYPE,
        name=name,
        properties={
            "provisioningState": "Succeeded",
            "provisioningIssues": [],
            "networkSecurityPerimeter": {
                "id": found.perimeter.id,
                "perimeterGuid": guid,
                "location": found.perimeter.location,
            },
            "resourceAssociation": {
                "name": found.association.name,
                "accessMode": mode_of(found.association),
            },
            "profile": {
                "name": found.profile.name,
                "accessRulesVersion": int(versions.get("accessRulesVersion") or 0),
                "accessRules": [
                    {
                        "name": rule.name,
                        "properties": {word: rule.properties.get(word) for word in RULE_WORDS},
                    }
                    for rule in found.rules
                ],
                "diagnosticSettingsVersion": int(versions.get("diagnosticSettingsVersion") or 0),
                "enabledLogCategories": list(CATEGORIES),
            },
        },
    )
