"""Request records in Azure's shape."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from linarite.diagnostics.records import azure_time, masked_address, of_request, ticks
from linarite.domain.diagnostics import LOG_CATEGORIES, categories_of, destinations_of
from tests.storage.builders import make_record

AT = datetime(2024, 5, 24, 12, 23, 2, 435_123, UTC)
AT_NS = int(AT.timestamp()) * 1_000_000_000 + 435_123_400


def test_times_are_those_of_dotnet() -> None:
    """Ticks since the year 1, and seven digits of a second."""
    assert azure_time(AT_NS) == "2024-05-24T12:23:02.4351234Z"
    assert ticks(0) == 621_355_968_000_000_000
    # An export of Azure's shows 638515262815394150 for this moment.
    shown = datetime(2024, 5, 17, 7, 4, 41, tzinfo=UTC)
    assert ticks(int(shown.timestamp()) * 10**9 + 539_415_000) == 638_515_262_815_394_150


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("81.2.69.142", "81.2.69.***"),
        ("2001:db8:1:2::3", "2001:db8:1:***"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_no_address_tells_one_machine(address: str, shown: str) -> None:
    """As Azure masks them."""
    assert masked_address(address) == shown


def test_no_usage_without_tokens() -> None:
    """A refusal has none to tell of; its other records know that it failed."""
    record = make_record(status=429, prompt_tokens=0, completion_tokens=0)
    made = of_request(record, "eastus", LOG_CATEGORIES)
    assert [each.category for each in made] == ["RequestResponse", "Trace"]
    assert all(each.failed for each in made)
    assert made[0].body["location"] == "eastus"


def test_the_region_is_where_it_ran() -> None:
    """As Azure writes locations; each category has what it asks for and nothing else."""
    [made] = of_request(make_record(region="East US 2"), "local", {"Trace"})
    assert (made.body["location"], made.category) == ("eastus2", "Trace")
    assert made.id == made.body["linariteRecordId"] == "request-1/Trace"


def test_settings_are_read_without_case() -> None:
    """Categories and groups that are switched on, and the last words of ids."""
    logs = [
        {"category": "requestresponse", "enabled": True},
        {"category": "Trace", "enabled": False},
        {"categoryGroup": "AUDIT", "enabled": True},
    ]
    assert categories_of({"logs": logs}) == {"RequestResponse", "Audit"}
    assert categories_of({"logs": [{"categoryGroup": "allLogs", "enabled": True}]}) == set(
        LOG_CATEGORIES
    )
    named = destinations_of({"storageAccountId": "/a/b/", "workspaceId": None, "other": "/c"})
    assert [(each.property, each.sink) for each in named] == [("storageAccountId", "b")]
