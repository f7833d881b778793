"""Metric alert rules and action groups: what they say, and how a rule's alerts stand.

Source: the specifications of Microsoft.Insights/metricAlerts, 2018-03-01, and
Microsoft.Insights/actionGroups, 2023-01-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from linarite.domain.outbox import Letter

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

METRIC_ALERT_TYPE = "Microsoft.Insights/metricAlerts"
ACTION_GROUP_TYPE = "Microsoft.Insights/actionGroups"
CRITERIA = "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
SEALED_SECRET = "sealedSigningSecret"  # noqa: S105 - its name
"""the property of an action group with what its webhooks are signed with, shown to nobody"""

DURATIONS_S = {
    "PT1M": 60,
    "PT5M": 300,
    "PT15M": 900,
    "PT30M": 1800,
    "PT1H": 3600,
    "PT6H": 21_600,
    "PT12H": 43_200,
    "P1D": 86_400,
}
"""what a window may be"""
FREQUENCIES = ("PT1M", "PT5M", "PT15M", "PT30M", "PT1H")

Operator = Literal["Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"]
Aggregation = Literal["Average", "Count", "Minimum", "Maximum", "Total"]


class AlertDimension(msgspec.Struct, frozen=True):
    """Which values of a dimension are watched, each by itself."""

    name: str
    operator: Literal["Include", "Exclude", "StartsWith"]
    values: list[str]
    """`*` means every value"""


class Criterion(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One condition on one metric."""

    name: str
    metric_name: str
    operator: Operator
    threshold: float
    time_aggregation: Aggregation
    metric_namespace: str = ""
    criterion_type: Literal["StaticThresholdCriterion"] = "StaticThresholdCriterion"
    dimensions: list[AlertDimension] = []
    skip_metric_validation: bool = False


class AlertAction(msgspec.Struct, frozen=True, rename="camel"):
    """An action group that is told."""

    action_group_id: str
    web_hook_properties: dict[str, str] = {}


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it is evaluated."""

    id: str
    name: str
    account_id: str
    description: str
    severity: int
    window: str
    frequency: str
    criteria: list[Criterion]
    """all must be met"""
    auto_mitigate: bool
    """alerts are resolved by themselves, and fire anew only after that"""
    actions: list[AlertAction]


class WebhookReceiver(msgspec.Struct, frozen=True, rename="camel"):
    """A receiver of an action group."""

    name: str
    service_uri: str
    use_common_alert_schema: bool = False


class AlertState(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that has fired, and is not resolved."""

    key: str
    """the rule's id and the values of the dimensions"""
    rule_id: str
    alert_id: str
    """a GUID"""
    dimensions: dict[str, str]
    fired_at: str
    """ISO 8601, UTC"""
    resolved_at: str = ""
    well_count: int = 0
    """evaluations since then that found nothing wrong, one after the other"""
    letters: list[Letter] = []
    """what is still to be handed to the sender: a server may die in between"""


class AlertStates(Protocol):
    """Keeps states by key. Every write is on disk when the call returns.

    All raise ServiceUnavailable when the store can't be used.
    """

    async def all(self) -> list[AlertState]:
        """Every one, ordered by key."""
        ...

    async def keep(self, state: AlertState) -> None:
        """Write it."""
        ...

    async def forget(self, keys: Collection[str]) -> None:
        """Remove those of these keys."""
        ...


class Postbox(Protocol):
    """Takes letters to receivers of action groups."""

    async def post(self, letters: Sequence[Letter]) -> None:
        """Keep them until they are delivered; an id is delivered once.

        Raises ServiceUnavailable.
        """
        ...


def secret_name(group_id: str) -> str:
    """What the signing secret of an action group is sealed for."""
    return f"signing secret of {group_id.lower()}"


def receivers_of(properties: dict[str, Any]) -> list[WebhookReceiver]:
    """The webhooks of an action group's properties."""
    return msgspec.convert(properties.get("webhookReceivers") or [], list[WebhookReceiver])
