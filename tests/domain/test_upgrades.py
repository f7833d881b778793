"""What becomes of a deployment's version, over every option of versionUpgradeOption."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from linarite.domain.model_lifecycle import Lifecycle, Replacement, order_of
from linarite.domain.model_offer import Assortment, ModelOffer
from linarite.domain.resource import Resource
from linarite.domain.upgrades import upgrade_of
from linarite.hosting.deployable import with_default_versions

NOW = datetime(2027, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def offer(version: str, name: str = "gpt", **life: Any) -> ModelOffer:  # noqa: ANN401 - any field
    """A listed version."""
    return ModelOffer(name=name, version=version, lifecycle=Lifecycle(**life))


def deployment(option: str | None, version: str = "1", sku: str = "GlobalStandard") -> Resource:
    """A deployment of `gpt`."""
    model = {"format": "OpenAI", "name": "gpt", "version": version}
    return Resource(
        id="/a/deployments/d",
        type="t",
        name="d",
        sku={"name": sku, "capacity": 1},
        properties={"model": model, "versionUpgradeOption": option},
    )


def verdict(given: Resource, *offers: ModelOffer) -> tuple[str, str | None, datetime | None]:
    """State, version that it moves to, and when."""
    told = upgrade_of(given, Assortment(with_default_versions(offers, NOW)), NOW)
    assert told.why
    return told.state, told.target.version if told.target else None, told.due_at


FOLLOWS, WAITS, NEVER = (
    "OnceNewDefaultVersionAvailable",
    "OnceCurrentVersionExpired",
    "NoAutoUpgrade",
)
OLD = offer("1", default_since=NOW - 90 * DAY)
NEW_DEFAULT = offer("2", default_since=NOW - DAY)


def test_who_follows_the_default_version_moves_to_a_new_one() -> None:
    """At once, or from the day that the old version's replacement names."""
    assert verdict(deployment(FOLLOWS), OLD, NEW_DEFAULT) == ("Due", "2", NOW - DAY)
    later = Replacement(upgrade_from=NOW + 7 * DAY)
    waiting = offer("1", default_since=NOW - 90 * DAY, replacement=later)
    assert verdict(deployment(FOLLOWS), waiting, NEW_DEFAULT) == ("Scheduled", "2", NOW + 7 * DAY)


@pytest.mark.parametrize("option", [WAITS, None, NEVER])
def test_others_stay(option: str | None) -> None:
    """While their version lives."""
    assert verdict(deployment(option), OLD, NEW_DEFAULT) == ("UpToDate", None, None)


def test_who_went_ahead_of_the_default_version_is_not_taken_back() -> None:
    """A preview that was deployed on purpose stays until it has been overtaken."""
    preview = offer("3", stage="Preview")
    assert verdict(deployment(FOLLOWS, "3"), OLD, preview)[0] == "UpToDate"
    overtaking = offer("10", default_since=NOW)
    assert verdict(deployment(FOLLOWS, "3"), OLD, preview, overtaking) == ("Due", "10", NOW)


def test_a_default_version_that_is_taken_back_takes_its_followers_back() -> None:
    """They followed it, so they follow it home."""
    again = offer("1", default_since=NOW)
    assert verdict(deployment(FOLLOWS, "2"), again, NEW_DEFAULT) == ("Due", "1", NOW)


@pytest.mark.parametrize("option", [WAITS, None, FOLLOWS])
def test_retirement_moves_all_but_those_who_said_never(option: str | None) -> None:
    """To the replacement that was named, else to the default version; before, if so planned."""
    ends = NOW + 5 * DAY
    retiring = offer("2", retired_at=ends, default_since=NOW - 90 * DAY)
    next_one = offer("3")
    assert verdict(deployment(option, "2"), retiring, next_one) == ("Scheduled", "3", ends)
    named = offer(
        "2",
        retired_at=ends,
        default_since=NOW - 90 * DAY,
        replacement=Replacement(version="3", lead_days=10),
    )
    assert verdict(deployment(option, "2"), named, next_one) == ("Due", "3", ends - 10 * DAY)
    assert verdict(deployment(NEVER, "2"), named, next_one) == ("NotUpgraded", None, None)


def test_another_model_may_follow() -> None:
    """By its default version, or a version of its own."""
    ends = NOW - DAY
    for version in ("", "7"):
        retired = offer(
            "1", retired_at=ends, replacement=Replacement(name="gpt-b", version=version)
        )
        after = offer("7", name="gpt-b")
        assert verdict(deployment(WAITS), retired, after) == ("Due", "7", ends)


def test_nothing_follows() -> None:
    """No other version, or one that is retired no later: it can't move."""
    retired = offer("1", retired_at=NOW - DAY)
    assert verdict(deployment(WAITS), retired) == ("NotUpgraded", None, None)
    gone = offer("2", retired_at=NOW - 2 * DAY, default_since=NOW)
    assert verdict(deployment(WAITS), retired, gone) == ("NotUpgraded", None, None)
    assert verdict(deployment(FOLLOWS, "unlisted"))[0] == "UpToDate"


@pytest.mark.parametrize("sku", ["ProvisionedManaged", "GlobalProvisionedManaged"])
def test_provisioned_deployments_are_never_moved(sku: str) -> None:
    """As on Azure: their owners move them."""
    retired = offer("1", retired_at=NOW - DAY)
    assert verdict(deployment(FOLLOWS, sku=sku), retired, NEW_DEFAULT) == (
        "NotUpgraded",
        None,
        None,
    )


def test_versions_are_ordered_by_their_numbers() -> None:
    """Not by their letters."""
    told = ["10", "9", "turbo-2024-04-09", "0613", "2024-08-06"]
    ordered = ["9", "10", "0613", "turbo-2024-04-09", "2024-08-06"]
    assert sorted(told, key=order_of) == ordered


@pytest.mark.parametrize(
    ("life", "status"),
    [
        ({}, "GenerallyAvailable"),
        ({"stage": "Preview"}, "Preview"),
        ({"stage": "Legacy", "retired_at": NOW + DAY}, "Legacy"),
        ({"deprecated_at": NOW, "retired_at": NOW + DAY}, "Deprecating"),
        ({"deprecated_at": NOW - DAY, "retired_at": NOW}, "Deprecated"),
    ],
)
def test_status_in_arms_words(life: dict[str, Any], status: str) -> None:
    """ARM is one word behind the documentation."""
    assert Lifecycle(**life).status(NOW) == status
