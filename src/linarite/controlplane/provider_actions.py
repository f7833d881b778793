"""The actions of the providers that have a table of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.access_routes import AUTHORIZATION_ACTIONS
from linarite.controlplane.alert_routes import ALERT_ACTIONS
from linarite.controlplane.content_routes import CONTENT_ACTIONS
from linarite.controlplane.diagnostic_routes import DIAGNOSTIC_ACTIONS
from linarite.controlplane.limit_routes import LIMIT_ACTIONS
from linarite.controlplane.metric_routes import METRIC_ACTIONS
from linarite.controlplane.network_routes import NETWORK_ACTIONS
from linarite.controlplane.perimeter_routes import PERIMETER_ACTIONS
from linarite.controlplane.policy_routes import POLICY_ACTIONS

if TYPE_CHECKING:
    from linarite.controlplane.resource_type import Action

PROVIDER_ACTIONS: tuple[Action, ...] = (
    *ALERT_ACTIONS,
    *AUTHORIZATION_ACTIONS,
    *CONTENT_ACTIONS,
    *DIAGNOSTIC_ACTIONS,
    *LIMIT_ACTIONS,
    *METRIC_ACTIONS,
    *NETWORK_ACTIONS,
    *PERIMETER_ACTIONS,
    *POLICY_ACTIONS,
)
