"""Which plane answers a path."""

from __future__ import annotations

import pytest

from linarite.web.edge import Edge
from linarite.web.exchange import Exchange
from linarite.web.request_head import RequestHead
from tests.web.silent import Silent

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "plane", "seen"),
    [
        ("/openai/v1/models", "data", "/openai/v1/models"),
        ("//openai/v1/models", "data", "/openai/v1/models"),
        ("/team-a/openai/v1/models", "data", "/team-a/openai/v1/models"),
        ("/subscriptions", "management", "/subscriptions"),
        ("/SUBSCRIPTIONS/x/resourcegroups", "management", "/SUBSCRIPTIONS/x/resourcegroups"),
        ("//metadata/endpoints", "management", "/metadata/endpoints"),
        ("///tenants", "management", "/tenants"),
        ("/metadata", "data", "/metadata"),
    ],
)
async def test_a_path_reaches_its_plane(path: str, plane: str, seen: str) -> None:
    """Whatever the case, and with the slashes that clients put where an endpoint ends in one."""
    reached: list[tuple[str, str]] = []

    async def data(exchange: Exchange) -> None:
        reached.append(("data", exchange.path))

    async def management(exchange: Exchange) -> None:
        reached.append(("management", exchange.path))

    head = RequestHead("GET", (path, path.encode(), b""), [(b"host", b"localhost")])
    exchange = Exchange(Silent(), head)
    await Edge({}, data, management)(exchange)
    assert reached == [(plane, seen)]
