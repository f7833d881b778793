"""The categories that an account has, and how its settings stand with their sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of
from linarite.domain.arm_errors import ArmError
from linarite.domain.diagnostics import GROUPS, LOG_CATEGORIES, METRIC_CATEGORIES

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

CATEGORY_TYPE = "Microsoft.Insights/diagnosticSettingsCategories"
GROUP_NAMES = {"alllogs": "allLogs", "audit": "audit"}


async def list_categories(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """All of them."""
    del request
    account = await account_of(surface, target)
    names = (*LOG_CATEGORIES, *METRIC_CATEGORIES)
    return Answer(200, {"value": [_category(account.id, name) for name in names]})


async def get_category(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """One of them."""
    del request
    account = await account_of(surface, target)
    for name in (*LOG_CATEGORIES, *METRIC_CATEGORIES):
        if name.lower() == target["category"].lower():
            return Answer(200, _category(account.id, name))
    raise ArmError(
        404,
        "ResourceNotFound",
        f"The diagnostic category '{target['category'][:60]}' was not found. There are: "
        f"{', '.join((*LOG_CATEGORIES, *METRIC_CATEGORIES))}.",
    )


async def deliveries(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """How far each sink has come, for each of the account's settings. Ours; Azure shows none."""
    del request
    account = await account_of(surface, target)
    return Answer(200, {"value": surface.diagnostics.deliveries(account.id)})


def _category(account_id: str, name: str) -> dict[str, Any]:
    is_metric = name in METRIC_CATEGORIES
    properties: dict[str, Any] = {"categoryType": "Metrics" if is_metric else "Logs"}
    if not is_metric:
        properties["categoryGroups"] = [
            GROUP_NAMES[group] for group, members in GROUPS.items() if name in members
        ]
    return {
        "id": f"{account_id}/providers/{CATEGORY_TYPE}/{name}",
        "name": name,
        "type": CATEGORY_TYPE,
        "properties": properties,
    }
