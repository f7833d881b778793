"""The rows of metric alert rules and action groups."""

from __future__ import annotations

from linarite.controlplane.api_versions import ACTION_GROUPS, METRIC_ALERTS, OPERATIONS
from linarite.controlplane.paths import GROUP, SUBSCRIPTION
from linarite.controlplane.resource_type import Action, ResourceType, reading
from linarite.controlplane.resources.action_groups import actions as group_actions
from linarite.controlplane.resources.action_groups import rules as action_groups
from linarite.controlplane.resources.metric_alerts import reads as alert_reads
from linarite.controlplane.resources.metric_alerts import rules as metric_alerts
from linarite.domain.alerts import ACTION_GROUP_TYPE, METRIC_ALERT_TYPE, SEALED_SECRET

RULE = f"{GROUP}/providers/{METRIC_ALERT_TYPE}/{{rule}}"
ACTION_GROUP = f"{GROUP}/providers/{ACTION_GROUP_TYPE}/{{action_group}}"

ALERT_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=METRIC_ALERT_TYPE,
        template=RULE,
        collections=(f"{SUBSCRIPTION}/providers/{METRIC_ALERT_TYPE}",),
        versions=METRIC_ALERTS,
        created=200,
        name_pattern=metric_alerts.NAME,
        sent_properties=metric_alerts.SentRule,
        read_only=metric_alerts.READ_ONLY,
        linked=metric_alerts.linked,
        gather=metric_alerts.gather,
        complete=metric_alerts.complete,
        admit=metric_alerts.admit,
        partial="static thresholds on metrics of one account; others are refused",
    ),
    ResourceType(
        type=ACTION_GROUP_TYPE,
        template=ACTION_GROUP,
        collections=(f"{SUBSCRIPTION}/providers/{ACTION_GROUP_TYPE}",),
        versions=ACTION_GROUPS,
        name_pattern=action_groups.NAME,
        sent_properties=action_groups.SentGroup,
        hidden=frozenset((SEALED_SECRET,)),
        gather=action_groups.gather,
        complete=action_groups.complete,
        admit=action_groups.admit,
        show=action_groups.show,
        partial="webhooks act; other receivers are kept and told nothing",
    ),
)
ALERT_ACTIONS: tuple[Action, ...] = (
    reading(f"{RULE}/status", METRIC_ALERTS, METRIC_ALERT_TYPE, alert_reads.list_status),
    Action(
        method="POST",
        template=f"{ACTION_GROUP}/listSigningSecret",
        versions=(*ACTION_GROUPS, *OPERATIONS),
        type=ACTION_GROUP_TYPE,
        permission=f"{ACTION_GROUP_TYPE}/listSigningSecret/action",
        act=group_actions.list_signing_secret,
    ),
)
