"""How a rule's alerts stand.

Source: the operations `MetricAlertsStatus_List` and `_ListByName`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.request import Answer
from linarite.domain.alerts import METRIC_ALERT_TYPE
from linarite.domain.arm_errors import resource_not_found

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

STATUS_TYPE = "Microsoft.Insights/metricAlerts/status"


async def list_status(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Each alert that has fired; one that is healthy where none has."""
    del request
    rule_id = target.path[: target.path.lower().rindex("/status")]
    rule = await surface.resources.get(rule_id)
    if rule is None:
        raise resource_not_found(METRIC_ALERT_TYPE, target["rule"], target["resource_group"])
    at = surface.now().isoformat().replace("+00:00", "Z")
    fired = surface.diagnostics.fired(rule.id)
    shown = [_shown(rule.id, each.dimensions, "Fired", each.fired_at) for each in fired]
    return Answer(200, {"value": shown or [_shown(rule.id, {}, "Healthy", at)]})


def _shown(rule_id: str, dimensions: dict[str, str], status: str, at: str) -> dict[str, Any]:
    name = ",".join(f"{key}={value}" for key, value in sorted(dimensions.items())) or "default"
    return {
        "id": f"{rule_id}/status/{name}",
        "name": name,
        "type": STATUS_TYPE,
        "properties": {"dimensions": dimensions, "status": status, "timestamp": at},
    }
