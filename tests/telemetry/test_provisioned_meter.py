"""Hours of provisioned deployments are charged while they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.facts import Account, Deployment, Facts, Model, Sku
from linarite.domain.price_book import PriceBook, UnitPrice
from linarite.telemetry.provisioned_meter import ProvisionedMeter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.provisioned_hours import ProvisionedHour

pytestmark = pytest.mark.anyio

ACCOUNT = Account(id="/a", name="a", location="eastus", region_title="East US")
PRICES = PriceBook(
    units=[UnitPrice(hour=7), UnitPrice(hour=9, sku="GlobalProvisionedManaged")], currency="EUR"
)


def deployment(name: str, sku: str, units: int) -> Deployment:
    """One of the account's."""
    return Deployment(name, Model("gpt-4o", "1"), Sku(sku, units), "i", id=f"/a/deployments/{name}")


class Charged:
    """`ProvisionedHours` that remembers."""

    def __init__(self) -> None:
        self.hours: list[ProvisionedHour] = []

    async def charge(self, hours: Sequence[ProvisionedHour]) -> None:
        """See ProvisionedHours."""
        self.hours += hours


async def test_each_hour_and_each_change_is_charged() -> None:
    """Provisioned ones alone; and nothing is written while nothing changes."""
    there = {
        "ptu": deployment("ptu", "GlobalProvisionedManaged", 15),
        "zone": deployment("zone", "DataZoneProvisionedManaged", 5),
        "chat": deployment("chat", "GlobalStandard", 50),
    }
    now = 3600.0 * 100
    charged = Charged()
    meter = ProvisionedMeter(lambda: [Facts(ACCOUNT, there)], charged, PRICES, lambda: now)
    await meter.look()
    await meter.look()
    by_name = {each.deployment: each for each in charged.hours}
    assert len(charged.hours) == len(by_name) == 2
    assert (by_name["ptu"].units, by_name["ptu"].cost_nano) == (15, 15 * 9)
    assert (by_name["zone"].cost_nano, by_name["zone"].region) == (5 * 7, "East US")
    assert by_name["ptu"].hour == 100
    there["ptu"] = msgspec.structs.replace(there["ptu"], sku=Sku("GlobalProvisionedManaged", 20))
    await meter.look()
    assert [each.units for each in charged.hours[2:]] == [20]
    now += 3600
    del there["zone"]
    await meter.look()
    assert [(each.deployment, each.hour) for each in charged.hours[3:]] == [("ptu", 101)]
