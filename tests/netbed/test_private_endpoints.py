"""Private endpoints between separate hosts: who reaches them, and from when until when."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from linarite.cli.netbed.layout import APPLICATION, PARTNER
from tests.netbed.client import NO_ANSWER
from tests.netbed.management import ACCOUNTS, GROUP
from tests.netbed.sides import (
    ALPHA,
    BETA,
    DOORS,
    ENDPOINT_PORT,
    NETWORKS,
    SLOW,
    SUBSCRIPTION,
    subnet,
)
from tests.netbed.sockets import connected
from tests.netbed.test_network_rules import CLOSED, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.cli.netbed.layout import Network
    from tests.netbed.client import Told
    from tests.netbed.sides import Sides

VERSION = "2024-07-01"
GAMMA = "gamma"
DELETED = (
    f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/local"
    f"/resourceGroups/{GROUP.rpartition('/')[2]}/deletedAccounts"
)
ENDPOINT = f"{NETWORKS}/privateEndpoints/pe"
NOT_THIS_ONE = {
    "error": {"code": "403", "message": "Traffic is not from an approved private endpoint."}
}
ACTS_S = 5.0


@contextmanager
def endpoint(
    sides: Sides,
    network: Network,
    *,
    account: str = ALPHA,
    manual: bool = False,
    by_hosts: bool = True,
) -> Iterator[str]:
    """A private endpoint of an account in a network; its address.

    A manual one waits for approval. `by_hosts` has the names lead there without asking anybody.
    """
    word = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    link = {"privateLinkServiceId": f"{ACCOUNTS}/{account}", "groupIds": ["account"]}
    body = {
        "location": "local",
        "properties": {
            "subnet": {"id": subnet(network)},
            word: [{"name": "pe", "properties": link}],
        },
    }
    made = sides.management.put(ENDPOINT, body, VERSION)
    card = made["properties"]["networkInterfaces"][0]["id"]
    shown = sides.management.call("GET", card, api_version=VERSION)
    [configuration] = shown.body["properties"]["ipConfigurations"]
    address = str(configuration["properties"]["privateIPAddress"])
    names = {sides.name_of(each): address for each in (ALPHA, BETA, account)}
    sides.bed.know_names(network.name, names if by_hosts else {})
    try:
        yield address
    finally:
        sides.bed.know_names(network.name, {})
        sides.management.call("DELETE", ENDPOINT, api_version=VERSION)


def decide(sides: Sides, status: str) -> None:
    """The account's owner approves or rejects its only connection."""
    path = f"{ACCOUNTS}/{ALPHA}/privateEndpointConnections"
    [only] = sides.management.call("GET", path).body["value"]
    state = {"status": status, "description": "by hand"}
    said = {"properties": {"privateLinkServiceConnectionState": state}}
    sides.management.put(only["id"], said)


def way(sides: Sides, host: str, address: str) -> str:
    """What becomes of a connection: open, refused, unreachable."""
    try:
        connected(sides.bed, host, (address, ENDPOINT_PORT), timeout_s=2).close()
    except ConnectionRefusedError:
        return "refused"
    except OSError as problem:
        return "unreachable" if "unreachable" in str(problem) else str(problem)
    return "open"


def test_an_endpoint_is_the_only_way_into_a_closed_account(sides: Sides) -> None:
    """Served from its network, by the account's own name; everywhere else as closed as said."""
    sides.set(publicNetworkAccess="Disabled")
    with endpoint(sides, APPLICATION) as address:
        assert sides.by_name("application").status == 200
        for host in ("partner", "public"):
            assert way(sides, host, address) == "unreachable"
        told = {name: sides.knock(door) for name, door in DOORS.items()}
    for name, each in told.items():
        assert (each.status, each.body) == (403, refusal(DOORS[name], CLOSED))


def test_an_endpoint_leads_to_its_account_alone(sides: Sides) -> None:
    """Not to another account by any of its names, and not to the control plane."""
    with endpoint(sides, APPLICATION) as address:
        client, ca_file = sides.clients["application"], sides.server.ready["ca_file"]
        models = "openai/models?api-version=2024-10-21"
        key = {"api-key": sides.keys[BETA]}
        by_path = client.http(
            "GET", f"https://{sides.name_of(ALPHA)}/{BETA}/{models}", ca_file=ca_file, **key
        )
        by_name = sides.by_name("application", BETA)
        by_address = client.http(
            "GET", f"https://{sides.name_of(ALPHA)}/{models}", ca_file=ca_file, **key
        )
        owner = {"authorization": f"Bearer {sides.server.ready['management_key']}"}
        plane = client.http(
            "GET",
            f"https://{sides.name_of(ALPHA)}{ACCOUNTS}/{ALPHA}?api-version=2025-09-01",
            ca_file=ca_file,
            **owner,
        )
        assert address.startswith("10.77.1.")
    assert (by_path.status, by_path.body["error"]["code"]) == (404, "404"), by_path
    assert (by_name.status, by_name.body) == (403, NOT_THIS_ONE), by_name
    assert by_address.status == 401
    assert plane.status == 401, plane


def test_an_endpoint_opens_with_its_approval(sides: Sides) -> None:
    """Nothing listens while it is pending; from the approval on it is served."""
    sides.set(publicNetworkAccess="Disabled")
    with endpoint(sides, PARTNER, manual=True) as address:
        assert way(sides, "partner", address) == "refused"
        decide(sides, "Approved")
        assert sides.by_name("partner").status == 200
        decide(sides, "Rejected")
        assert way(sides, "partner", address) == "refused"


@pytest.mark.parametrize("ends", ["Rejected", "the connection is deleted", "the endpoint is"])
def test_what_ends_an_endpoint_cuts_its_streams(sides: Sides, ends: str) -> None:
    """An answer that is being streamed stops there and then, and nobody comes in any more."""
    with endpoint(sides, APPLICATION) as address, ThreadPoolExecutor(1) as beside:
        streamed = beside.submit(
            lambda: sides.by_name("application", model=SLOW, stream=True, timeout_s=60)
        )
        time.sleep(2)
        assert not streamed.done(), streamed.result()
        began = time.monotonic()
        end(sides, ends)
        told = streamed.result(ACTS_S)
        assert time.monotonic() - began < ACTS_S
        assert told.status == NO_ANSWER, told
        assert told.text
        assert way(sides, "application", address) == "refused"
    assert sides.knock(DOORS["application"]).status == 200


def test_deleting_an_account_cuts_its_endpoint(sides: Sides) -> None:
    """The stream that is on its way, and the listener; another account's goes on."""
    key = sides.management.account(GAMMA, "local", publicNetworkAccess="Disabled")
    ended = sides.management.deploy(GAMMA, SLOW, SLOW, "GlobalStandard")
    assert ended.get("status", "Succeeded") == "Succeeded", ended
    application, ca_file = sides.clients["application"], sides.server.ready["ca_file"]

    def chat(**more: Any) -> Told:  # noqa: ANN401 - as Client.chat has them
        name = f"https://{sides.name_of(GAMMA)}"
        return application.chat(name, key, SLOW, ca_file=ca_file, **more)

    with (
        endpoint(sides, APPLICATION, account=GAMMA) as address,
        ThreadPoolExecutor(1) as beside,
    ):
        streamed = beside.submit(lambda: chat(stream=True, timeout_s=60))
        time.sleep(2)
        assert not streamed.done(), streamed.result()
        began = time.monotonic()
        assert sides.management.call("DELETE", f"{ACCOUNTS}/{GAMMA}").status in {200, 202, 204}
        told = streamed.result(ACTS_S)
        assert time.monotonic() - began < ACTS_S
        assert (told.status, bool(told.text)) == (NO_ANSWER, True), told
        assert way(sides, "application", address) == "refused"
        assert chat().status == NO_ANSWER
    assert sides.knock(DOORS["application"]).status == 200
    assert sides.management.call("DELETE", f"{DELETED}/{GAMMA}").status in {200, 202, 204}


def end(sides: Sides, ends: str) -> None:
    """One of the ways to end an endpoint."""
    if ends == "Rejected":
        decide(sides, "Rejected")
    elif ends == "the endpoint is":
        sides.management.call("DELETE", ENDPOINT, api_version=VERSION)
    else:
        path = f"{ACCOUNTS}/{ALPHA}/privateEndpointConnections"
        [only] = sides.management.call("GET", path).body["value"]
        sides.management.call("DELETE", only["id"])


def test_a_stranger_with_a_route_is_not_served(sides: Sides) -> None:
    """Who sends packets for the endpoint's address through another network gets nothing."""
    sides.set(publicNetworkAccess="Disabled")
    with endpoint(sides, APPLICATION) as address:
        sides.bed.ip("partner", "route", "add", address, "via", PARTNER.server_address)
        sides.bed.know_names("partner", {sides.name_of(ALPHA): address})
        try:
            told = sides.by_name("partner")
        finally:
            sides.bed.ip("partner", "route", "del", address)
            sides.bed.know_names("partner", {})
    assert (told.status, told.body) == (403, NOT_THIS_ONE), told
