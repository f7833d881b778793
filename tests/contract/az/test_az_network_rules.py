"""`az cognitiveservices account network-rule`, and what its rules do to requests."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.contract.az.conftest import SUBSCRIPTION, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.az.conftest import Az, Cloud

GROUP = "az-rules"
ACCOUNT = ("--name", "az-ruled", "--resource-group", GROUP)
RULE = ("cognitiveservices", "account", "network-rule")
SUBNET = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network"
    "/virtualNetworks/apps/subnets/default"
)


@pytest.fixture(scope="module", autouse=True)
def group(az: Az) -> Iterator[None]:
    """A group with an account."""
    az("group", "create", "--name", GROUP, "--location", "local")
    az(
        *("cognitiveservices", "account", "create", *ACCOUNT, "--kind", "OpenAI", "--sku", "S0"),
        *("--location", "local", "--custom-domain", "az-ruled", "--yes"),
    )
    yield
    az("group", "delete", "--name", GROUP, "--yes")


def status(cloud: Cloud, az: Az) -> int:
    """What a good key gets from this machine."""
    key = az("cognitiveservices", "account", "keys", "list", *ACCOUNT)["key1"]
    answer = httpx.get(
        f"{cloud.server.endpoint}/az-ruled/openai/v1/models",
        headers={"api-key": key},
        verify=ssl.create_default_context(cafile=str(cloud.authority.file)),
    )
    return answer.status_code


def test_rules_are_added_listed_and_removed(az: Az, cloud: Cloud) -> None:
    """Az begins with a default action of Deny; keys are read all the while."""
    assert status(cloud, az) == 200
    az(*RULE, "add", *ACCOUNT, "--ip-address", "203.0.113.0/24")
    listed = az(*RULE, "list", *ACCOUNT)
    assert (listed["defaultAction"], listed["ipRules"]) == ("Deny", [{"value": "203.0.113.0/24"}])
    assert status(cloud, az) == 403
    az(*RULE, "add", *ACCOUNT, "--ip-address", "127.0.0.1")
    assert status(cloud, az) == 200
    az(*RULE, "remove", *ACCOUNT, "--ip-address", "127.0.0.1")
    assert status(cloud, az) == 403
    az(*RULE, "add", *ACCOUNT, "--subnet", SUBNET)
    (rule,) = az(*RULE, "list", *ACCOUNT)["virtualNetworkRules"]
    assert (rule["id"], rule["ignoreMissingVnetServiceEndpoint"]) == (SUBNET, True)
    assert status(cloud, az) == 403
    az(*RULE, "remove", *ACCOUNT, "--subnet", SUBNET)
    assert not az(*RULE, "list", *ACCOUNT)["virtualNetworkRules"]


def test_a_rule_that_is_none_is_refused(az: Az) -> None:
    """By the place where it stands."""
    with pytest.raises(Refused, match="neither an IP address nor a range"):
        az(*RULE, "add", *ACCOUNT, "--ip-address", "here")
