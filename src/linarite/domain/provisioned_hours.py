"""Hours of provisioned throughput: what is paid for whether it is used or not.

Azure charges units by the hour, from a deployment's making to its end. Here an hour of the clock
(UTC) counts when the deployment is there in it and a server runs, once, with the most units that
it had in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR_S = 3600
OPERATION = "ProvisionedThroughput"
"""as usage tells it apart from requests"""


class ProvisionedHour(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment in one hour."""

    hour: int
    """hours since 1970, UTC"""
    units: int
    cost_nano: int
    """billionths of the price book's currency"""
    deployment_id: str
    account_id: str
    account: str
    deployment: str
    model: str
    model_version: str
    sku: str
    region: str
    tags: str = ""
    """a JSON object of texts; "" for none"""


class ProvisionedHours(Protocol):
    """Keeps hours, and adds them to the sums of usage of their day."""

    async def charge(self, hours: Sequence[ProvisionedHour]) -> None:
        """Keep those that are not kept yet; of one that is, what it has more of units and cost.

        A killed process loses none of it. Raises ServiceUnavailable with nothing kept.
        """
        ...
