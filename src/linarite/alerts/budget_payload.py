"""What is posted when a budget's threshold is reached.

Sources: learn.microsoft.com, "Tutorial: Create and manage budgets" for the form that receivers get
who do not ask for the common one; "Common alert schema", sample of monitoringService CostAlerts.
"""

from __future__ import annotations

from typing import Any

import msgspec

from linarite.domain.arm_id import resource_group_of, subscription_of
from linarite.domain.budgets import PERCENT, Budget, Notification

NOTICE_TYPE = "budget.threshold.reached"


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold that was reached."""

    budget: Budget
    name: str
    """the notification's"""
    notification: Notification
    spent: float
    """so far, or at the period's end where it is a forecast"""
    currency: str
    since: str
    """the period's first day"""
    at: str
    """ISO 8601"""

    @property
    def threshold_amount(self) -> float:
        """In money."""
        return self.notification.threshold * self.budget.amount / PERCENT


def body_of(reached: Reached, *, common: bool) -> str:
    """The JSON that a receiver gets."""
    body = _common(reached) if common else _of_budget(reached)
    return msgspec.json.encode(body).decode()


def data_of(reached: Reached) -> dict[str, Any]:
    """What notices to declared webhooks say."""
    return {
        "budget": reached.budget.id,
        "notification": reached.name,
        "thresholdType": reached.notification.threshold_type,
        "thresholdPercent": reached.notification.threshold,
        "amount": reached.budget.amount,
        "spent": round(reached.spent, 9),
        "currency": reached.currency,
        "periodStart": reached.since,
    }


def _common(reached: Reached) -> dict[str, Any]:
    budget, kind = reached.budget, reached.notification.threshold_type
    subscription = subscription_of(budget.id)
    verb = "is now" if kind == "Actual" else "is forecast to be"
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "monitoringService": "CostAlerts",
                "firedDateTime": reached.at,
                "description": f"Your spend for budget {budget.name} {verb} "
                f"{_money(reached, reached.spent)} exceeding your specified threshold "
                f"{_money(reached, reached.threshold_amount)}.",
                "essentialsVersion": "1.0",
                "alertContextVersion": "1.0",
                "alertId": f"/subscriptions/{subscription}/providers/Microsoft.CostManagement"
                f"/alerts/{budget.name}",
                "alertRule": None,
                "severity": None,
                "signalType": None,
                "monitorCondition": None,
                "alertTargetIDs": None,
                "configurationItems": ["budgets"],
                "originAlertId": None,
            },
            "alertContext": {
                "AlertCategory": "budgets",
                "AlertData": {
                    "Scope": f"{budget.scope}/",
                    "ThresholdType": kind,
                    "BudgetType": "Cost",
                    "BudgetThreshold": _money(reached, budget.amount),
                    "NotificationThresholdAmount": _money(reached, reached.threshold_amount),
                    "BudgetName": budget.name,
                    "BudgetId": budget.id,
                    "BudgetStartDate": reached.since,
                    "BudgetCreator": budget.created_by,
                    "Unit": reached.currency,
                    "SpentAmount": _money(reached, reached.spent),
                },
            },
        },
    }


def _of_budget(reached: Reached) -> dict[str, Any]:
    budget = reached.budget
    return {
        "schemaId": "AIP Budget Notification",
        "data": {
            "SubscriptionName": subscription_of(budget.id),
            "SubscriptionId": subscription_of(budget.id),
            "SpendingAmount": _figure(reached.spent),
            "BudgetStartDate": reached.since,
            "Budget": _figure(budget.amount),
            "Unit": reached.currency,
            "BudgetCreator": budget.created_by,
            "BudgetName": budget.name,
            "BudgetType": "Cost",
            "ResourceGroup": resource_group_of(budget.id),
            "NotificationThresholdAmount": _figure(reached.threshold_amount),
        },
    }


def _figure(amount: float) -> str:
    """Two digits of cents, and as many more as small sums need."""
    return f"{amount:.2f}" if amount >= 1 else f"{amount:.9f}".rstrip("0").rstrip(".") or "0"


def _money(reached: Reached, amount: float) -> str:
    return f"{_figure(amount)} {reached.currency}"
