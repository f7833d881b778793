"""What the activity log says of policies. Source: "Azure activity log event schema", Policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.activity import Deed, ended, named
from linarite.controlplane.policy.refusals import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.request import ArmRequest
    from linarite.controlplane.surface import Realm
    from linarite.controls.policy.decisions import Finding
    from linarite.domain.activity import ActivityEvent
    from linarite.domain.resource import Resource

LEVELS = {"deny": "Error", "denyAction": "Error", "audit": "Warning", "modify": "Informational"}


def by_policy(
    word: str,
    resource: Resource,
    findings: Sequence[Finding],
    request: ArmRequest,
    realm: Realm,
    at: str,
) -> ActivityEvent:
    """One event for all policies that have done the same; `word` is the effect."""
    deed = Deed(
        request=request,
        permission=f"Microsoft.Authorization/policies/{word}/action",
        resource_type=resource.type,
        resource_id=resource.id,
        tells_body=False,
    )
    event = ended(deed, realm, at, 200)
    properties = {
        "isComplianceCheck": "False",
        "resourceLocation": resource.location or "",
        "ancestors": realm.tenant,
        "policies": msgspec.json.encode([told(each) for each in findings]).decode(),
        "entity": resource.id,
    }
    more = {"category": named("Policy"), "level": LEVELS[word], "properties": properties}
    return msgspec.structs.replace(event, body=event.body | more)
