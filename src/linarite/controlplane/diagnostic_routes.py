"""The rows of diagnostic settings, which accounts have, and of what is told to webhooks."""

from __future__ import annotations

from linarite.controlplane.api_versions import DIAGNOSTICS, OPERATIONS
from linarite.controlplane.paths import ACCOUNT, SUBSCRIPTION, WITHOUT_PATCH
from linarite.controlplane.resource_type import Action, ResourceType, reading
from linarite.controlplane.resources.diagnostic_settings import reads, rules
from linarite.controlplane.resources.webhook_deliveries import actions as webhook_deliveries
from linarite.domain.diagnostics import DIAGNOSTIC_SETTING_TYPE

DELIVERIES = "Linarite.Operations/diagnosticDeliveries"
CATEGORIES = f"{ACCOUNT}/providers/{reads.CATEGORY_TYPE}"

DIAGNOSTIC_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=DIAGNOSTIC_SETTING_TYPE,
        template=f"{ACCOUNT}/providers/{DIAGNOSTIC_SETTING_TYPE}/{{setting}}",
        versions=DIAGNOSTICS,
        verbs=WITHOUT_PATCH,
        created=200,
        name_pattern=rules.NAME,
        sent_properties=rules.SentSetting,
        gather=rules.gather,
        complete=rules.complete,
        admit=rules.admit,
        partial="of accounts; sinks are those that settings declare; retentionPolicy does not act",
    ),
)
DIAGNOSTIC_ACTIONS: tuple[Action, ...] = (
    reading(CATEGORIES, DIAGNOSTICS, reads.CATEGORY_TYPE, reads.list_categories),
    reading(f"{CATEGORIES}/{{category}}", DIAGNOSTICS, reads.CATEGORY_TYPE, reads.get_category),
    Action(
        method="GET",
        template=f"{ACCOUNT}/providers/{DELIVERIES}",
        versions=OPERATIONS,
        type=DELIVERIES,
        permission=f"{DIAGNOSTIC_SETTING_TYPE}/read",
        act=reads.deliveries,
    ),
    reading(
        f"{SUBSCRIPTION}/providers/{webhook_deliveries.TYPE}",
        OPERATIONS,
        webhook_deliveries.TYPE,
        webhook_deliveries.list_deliveries,
    ),
    Action(
        method="POST",
        template=f"{SUBSCRIPTION}/providers/{webhook_deliveries.TYPE}/{{delivery}}/sendAgain",
        versions=OPERATIONS,
        type=webhook_deliveries.TYPE,
        permission=f"{webhook_deliveries.TYPE}/sendAgain/action",
        act=webhook_deliveries.send_again,
    ),
)
