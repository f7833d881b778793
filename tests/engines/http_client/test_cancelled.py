"""Whoever is cancelled, at whichever await, leaves neither a socket nor a place taken."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.controls.egress.policy import PurposeHosts
from linarite.domain.dial import Errand
from linarite.domain.target import target_of
from linarite.engines.http_client import HttpClient, dialer_connector
from tests.cancelling import cancelled_at_every_await
from tests.engines.http_client.test_client import (
    PLAIN,
    ScriptedServer,
    answering,
    ask,
    eventually,
    serving,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops."""
    return "asyncio", {"use_uvloop": request.param}


def require_settled(client: HttpClient) -> None:
    """As many places as connections, all of them idle."""
    assert client._places_taken == len(client._all) == len(client._idle)
    assert not client._waiting


def open_files() -> int:
    """How many this process has."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def whole(client: HttpClient) -> bytes:
    """An answer with its body."""
    response = await ask(client)
    return await response.read(1000)


async def test_places_are_given_back(tmp_path: Path) -> None:
    """Of new connections and of kept ones, and of those who wait for one."""
    async with serving(tmp_path, answering(PLAIN), connections_max=1) as (client, _):
        async for _ in cancelled_at_every_await(lambda: whole(client)):
            require_settled(client)
        async for _ in cancelled_at_every_await(lambda: whole(client)):
            require_settled(client)
            assert await whole(client) == b"hello"  # so that the next one finds it kept
        slow = asyncio.create_task(ask(client))
        async for _ in cancelled_at_every_await(lambda: whole(client)):
            if slow.done():
                assert await (await slow).read(1000) == b"hello"
                require_settled(client)
                slow = asyncio.create_task(ask(client))
        assert await (await slow).read(1000) == b"hello"
        require_settled(client)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_no_socket_outlives_its_dial(host: str) -> None:
    """Whether one address is tried or several are, which race."""
    server = ScriptedServer([answering(PLAIN)])
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    target = target_of(f"http://{host}:{listener.sockets[0].getsockname()[1]}/")
    policy = EgressPolicy(purposes={"webhook": PurposeHosts(named_hosts=frozenset((host,)))})
    connector = dialer_connector(EgressDialer(policy), target, lambda: Errand("webhook"))
    client = HttpClient(connector, host=target.host_header, keep_alive=False)
    assert await whole(client) == b"hello"
    await asyncio.sleep(0.01)
    before = open_files()
    async for _ in cancelled_at_every_await(lambda: whole(client)):
        require_settled(client)
    await eventually(lambda: open_files() == before)
    await client.close()
    listener.close()
