"""By which way a call may reach an account: asked before any credential is read."""

from __future__ import annotations

from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.account_names import hosts_of
from linarite.domain.arrival import Arrival
from linarite.web.listeners import Listeners
from linarite.web.options import Server
from tests.dataplane.rig import CHAT, HELLO, foreign_account_id, rig
from tests.web.wire import exchange, get_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.dataplane.rig import Rig
    from tests.web.wire import Answer

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def private_way(
    running: Rig, account_id: str, network: str = "127.0.0.0/8"
) -> AsyncIterator[int]:
    """The port of a private endpoint of an account, for clients of a network."""
    listeners = Listeners(running.app)
    arrival = Arrival(
        listener="endpoint",
        planes=frozenset(("data",)),
        account_id=account_id,
        endpoint_id="/e",
        sources=(ip_network("10.9.0.0/16"), ip_network(network)),
    )
    listener = await listeners.open(Server(port=0), arrival)
    try:
        yield listener.port
    finally:
        await listeners.close("endpoint")


OWN = "linarite.openai.linarite.internal"
OTHER = "other.openai.linarite.internal"


async def chat_at(port: int, host: str, key: str, target: str = CHAT) -> Answer:
    """A chat request to a port, by a host name."""
    body = msgspec.json.encode(HELLO)
    lines = [
        ("host", host),
        ("api-key", key),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
    ]
    return await exchange(port, get_lines("POST", target, lines) + body, method="POST")


async def close_public_side(running: Rig) -> None:
    """Disable public access to the account `linarite`."""
    account = await running.resources.get(running.account_id)
    assert account is not None
    properties = account.properties | {"publicNetworkAccess": "Disabled"}
    await running.resources.put(msgspec.structs.replace(account, properties=properties))
    await running.facts.refresh()


@pytest.mark.parametrize("key", [None, "", "wrong"])
async def test_a_closed_public_side_is_told_to_everybody(key: str | None) -> None:
    """With a good key, a bad one or none: nothing is looked at before."""
    async with rig() as running:
        await close_public_side(running)
        answer = await running.chat(HELLO, key=key)
        assert answer.status == 403
        assert answer.json()["error"]["code"] == "403"
        assert answer.json()["error"]["message"] == (
            "Public access is disabled. Please configure private endpoint."
        )
        assert (await running.recorded()).refused_by == "network"


async def test_a_private_way_leads_to_its_account_alone() -> None:
    """By each of its names, and by that of another to nobody."""
    async with rig(accounts=2) as running:
        await close_public_side(running)
        async with private_way(running, running.account_id) as port:
            for host in hosts_of("linarite", "linarite.internal"):
                assert (await chat_at(port, host, running.keys.key1)).status == 200
            assert (await running.recorded(3)).network_rule == "privateEndpoint /e"
            other = await chat_at(port, OTHER, running.other_keys.key1)
            assert other.status == 403
            assert "not from an approved private endpoint" in other.json()["error"]["message"]
            named = await chat_at(port, OWN, running.other_keys.key1, f"/other{CHAT}")
            assert named.error["innererror"]["code"] == "AccountContradicted"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "linarite.privatelink.openai.linarite.internal",
        "linarite.internal",
    ],
)
async def test_a_private_way_knows_its_accounts_names_alone(host: str) -> None:
    """Not its address and not its own name: as on Azure."""
    async with rig() as running, private_way(running, running.account_id) as port:
        answer = await chat_at(port, host, running.keys.key1)
        assert answer.status == 404
        assert answer.error["message"] == "Subdomain does not map to a resource."


async def test_a_private_way_does_not_open_other_accounts() -> None:
    """The key of an account opens nothing on the way to another."""
    async with rig(accounts=2) as running:
        other_id = foreign_account_id("other")
        async with private_way(running, other_id) as port:
            assert (await chat_at(port, OTHER, running.keys.key1)).status == 401
            assert (await chat_at(port, OWN, running.keys.key1)).status == 403


async def test_a_listener_carries_its_planes_alone() -> None:
    """The others answer 404, and say so."""
    async with rig() as running, private_way(running, running.account_id) as port:
        answer = await exchange(
            port, get_lines("GET", "/subscriptions", [("host", "localhost")]), method="GET"
        )
        assert answer.status == 404
        assert answer.json()["error"]["innererror"]["code"] == "PlaneNotCarried"


@pytest.mark.parametrize(("network", "status"), [("127.0.0.1/32", 200), ("10.1.0.0/24", 403)])
async def test_a_private_way_begins_in_its_network(network: str, status: int) -> None:
    """Packets for its address that come from elsewhere lead nowhere, and explanations say so."""
    async with rig() as running, private_way(running, running.account_id, network) as port:
        answer = await chat_at(port, OWN, running.keys.key1)
        assert answer.status == status
        if status == 403:
            assert "not from an approved private endpoint" in answer.json()["error"]["message"]
            assert "from outside its network" in (await running.recorded()).network_rule
