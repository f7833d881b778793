"""Resource providers: what the table offers, as the Resource Manager lists it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_subscription
from linarite.domain.arm_errors import ArmError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Known, Surface


async def list_providers(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Every namespace with its types."""
    del request
    scope = require_subscription(surface, target) if target["subscription"] else ""
    namespaces = dict.fromkeys(known.namespace for known in surface.known)
    return Answer(200, {"value": [_provider(name, scope, surface) for name in namespaces]})


async def get_provider(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """One namespace. Raises ArmError 404."""
    del request
    scope = require_subscription(surface, target) if target["subscription"] else ""
    wanted = target["namespace"].lower()
    for known in surface.known:
        if known.namespace.lower() == wanted:
            return Answer(200, _provider(known.namespace, scope, surface))
    raise ArmError(
        404,
        "InvalidResourceNamespace",
        f"The resource namespace '{target['namespace'][:100]}' is invalid.",
    )


async def list_operations(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What roles can grant on accounts and what lies in them."""
    del request, target
    return Answer(200, {"value": list(_operations(surface.known))})


def _provider(namespace: str, scope: str, surface: Surface) -> dict[str, Any]:
    titles = [place.title for place in surface.realm.places]
    return {
        "id": f"{scope}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationFree",
        "resourceTypes": [
            {
                "resourceType": known.words,
                "locations": titles,
                "apiVersions": list(reversed(known.versions)),
                "defaultApiVersion": max(v for v in known.versions if "preview" not in v),
                "capabilities": "SupportsTags, SupportsLocation" if known.tracked else "None",
            }
            for known in surface.known
            if known.namespace == namespace
        ],
    }


def _operations(all_known: Iterable[Known]) -> Iterable[dict[str, Any]]:
    for known in all_known:
        if known.namespace != "Microsoft.CognitiveServices":
            continue
        for permission in known.permissions:
            *_, verb = permission.split("/")
            yield {
                "name": permission,
                "isDataAction": False,
                "origin": "user,system",
                "display": {
                    "provider": "Microsoft Cognitive Services",
                    "resource": known.words,
                    "operation": verb.capitalize(),
                    "description": f"{verb.capitalize()} on {known.words}.",
                },
            }
