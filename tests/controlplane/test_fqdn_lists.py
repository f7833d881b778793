"""Lists of host names that accounts are given: what may stand in them."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.controlplane.fqdn_lists import SHOWN_MAX, fqdn_list_problems
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, Rig

pytestmark = pytest.mark.anyio
ONE = f"{ACCOUNTS}/one"
GOOD = ["www.microsoft.com", "*.example.com", "10.1.2.3", "models", "bücher.example", "A.EXAMPLE."]
BAD = [
    "https://www.example.com",
    "www.example.com/path",
    "www.example.com:443",
    "10.0.0.0/8",
    "2001:db8::1",
    "*",
    "*.*.example",
    "a.*",
    "*.1.2.3",
    "0x7f.1",
    "2130706433",
    "user@example.com",
    "",
]


def with_list(entries: list[str]) -> dict[str, Any]:
    """An account that is sent."""
    properties = {"restrictOutboundNetworkAccess": True, "allowedFqdnList": entries}
    return ACCOUNT | {"properties": properties}


async def test_names_and_addresses_are_taken() -> None:
    """As they were written; up to a thousand."""
    rig = await Rig().with_group()
    made = await rig.ask("PUT", ONE, with_list(GOOD))
    assert made.status == 201, made.body
    assert made.body["properties"]["allowedFqdnList"] == GOOD
    most = [f"h{number}.example" for number in range(1000)]
    assert (await rig.ask("PUT", ONE, with_list(most))).status == 200
    refused = await rig.ask("PUT", ONE, with_list([*most, "one.more"]))
    assert refused.status == 400
    assert "allowedFqdnList" in str(refused.body)


@pytest.mark.parametrize("entry", BAD)
async def test_what_is_no_name_is_refused(entry: str) -> None:
    """With the place of each."""
    rig = await Rig().with_group()
    refused = await rig.ask("PUT", ONE, with_list(["good.example", entry]))
    assert refused.status == 400
    assert refused.body["code"] == "InvalidFqdn"
    assert refused.body["target"] == "properties.allowedFqdnList[1]"
    assert (await rig.ask("GET", ONE)).status == 404


def test_a_list_of_something_else_is_told_in_short() -> None:
    """Not a thousand problems."""
    assert len(fqdn_list_problems(["https://x"] * 1000, "x")) == SHOWN_MAX
    assert not fqdn_list_problems(None, "x")
