"""`az consumption budget`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.contract.az.conftest import Refused

if TYPE_CHECKING:
    from tests.contract.az.conftest import Az

BUDGET = ("consumption", "budget")
NAMED = ("--budget-name", "az-monthly")
START = f"{datetime.now(UTC):%Y-%m}-01"


def test_a_budget_is_made_shown_changed_and_deleted(az: Az) -> None:
    """Of the subscription, and of a group, each for itself."""
    figures = ("--amount", "100", "--time-grain", "monthly", "--category", "cost")
    period = ("--start-date", START, "--end-date", "2030-01-01")
    az(*BUDGET, "create", *NAMED, *figures, *period)
    shown = az(*BUDGET, "show", *NAMED)
    assert (float(shown["amount"]), shown["timeGrain"]) == (100.0, "Monthly")
    assert shown["currentSpend"]["unit"] == "USD"
    az("group", "create", "--name", "az-spent", "--location", "local")
    in_group = ("--resource-group", "az-spent")
    az(*BUDGET, "create", *NAMED, *in_group, *figures, *period)
    assert [each["name"] for each in az(*BUDGET, "list", *in_group)] == ["az-monthly"]
    az(*BUDGET, "delete", *NAMED, *in_group)
    assert az(*BUDGET, "list", *in_group) == []
    assert len(az(*BUDGET, "list")) == 1
    az(*BUDGET, "delete", *NAMED)
    with pytest.raises(Refused, match="NotFound"):
        az(*BUDGET, "show", *NAMED)
    az("group", "delete", "--name", "az-spent", "--yes")
