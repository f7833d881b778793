"""How far each SKU lets a prompt go."""

from __future__ import annotations

from typing import get_args

import pytest

from linarite.domain.rate_limits import is_provisioned
from linarite.hosting.options import SkuName
from linarite.hosting.regions import HERE, PlaceRefused, Regions, RegionSettings

REGIONS = Regions(
    {
        "us1": RegionSettings(data_zone="us"),
        "eu1": RegionSettings(title="Europe One", data_zone="eu", memory_mib=2),
        "eu2": RegionSettings(data_zone="eu"),
        "alone": RegionSettings(),
        "also-alone": RegionSettings(),
    }
)
EVERYWHERE = {"us1", "eu1", "eu2", "alone", "also-alone"}


@pytest.mark.parametrize("sku", get_args(SkuName))
def test_every_sku_stays_within_its_reach(sku: str) -> None:
    """The account's own region comes first."""
    reached = REGIONS.eligible(sku, "eu2")
    assert reached[0] == "eu2"
    expected = {"eu2"}
    if sku.startswith("DataZone"):
        expected = {"eu2", "eu1"}
    if sku.startswith("Global") or sku == "DeveloperTier":
        expected = EVERYWHERE
    assert set(reached) == expected


def test_a_region_without_a_zone_is_a_zone_of_its_own() -> None:
    """Two of them are not one zone."""
    assert REGIONS.eligible("DataZoneStandard", "alone") == ["alone"]


def test_an_account_elsewhere_can_only_go_everywhere() -> None:
    """A region that is not declared has no neighbours; the refusal names those there are."""
    assert set(REGIONS.eligible("GlobalStandard", "mars")) == EVERYWHERE
    for sku in ("Standard", "DataZoneStandard", "ProvisionedManaged"):
        with pytest.raises(PlaceRefused, match="us1, eu1") as refused:
            REGIONS.eligible(sku, "mars")
        assert refused.value.code == "InvalidResourceProperties"


def test_without_regions_this_machine_is_everywhere() -> None:
    """Whatever location an account has."""
    nowhere = Regions({})
    assert nowhere.eligible("Standard", "mars") == [HERE]
    assert nowhere.names() == [HERE]
    assert (nowhere.title(HERE), nowhere.memory_bytes(HERE)) == ("", None)


def test_titles_and_bounds() -> None:
    """A region without a title shows its name."""
    assert (REGIONS.title("eu1"), REGIONS.title("eu2")) == ("Europe One", "eu2")
    assert (REGIONS.memory_bytes("eu1"), REGIONS.memory_bytes("eu2")) == (2 * 1024 * 1024, None)


def test_which_skus_reserve() -> None:
    """Those that Azure calls provisioned."""
    assert {sku for sku in get_args(SkuName) if is_provisioned(sku)} == {
        "ProvisionedManaged",
        "GlobalProvisionedManaged",
        "DataZoneProvisionedManaged",
    }
