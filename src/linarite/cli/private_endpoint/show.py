"""`linarite private-endpoint show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.answers import part, parts
from linarite.cli.arm.printed import print_one
from linarite.cli.arm.refusals import ServerRefused
from linarite.cli.private_endpoint.connections import STATE, endpoint_id, row, the_one

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.private_endpoint.flags import NamedFlags

VERSION = "2024-07-01"
"""of Microsoft.Network"""


async def show(server: Server, asked: NamedFlags, shown: OutputFlags) -> None:
    """Tell everything about one: its state, its address, the names that lead there."""
    connection = await the_one(server, asked)
    endpoint = await endpoint_behind(server, connection)
    print_one(connection | {"endpoint": endpoint}, facts, shown.output)


async def endpoint_behind(server: Server, connection: dict[str, Any]) -> dict[str, Any]:
    """The endpoint itself; empty where it has gone, or who asks may not see its network."""
    try:
        reply = await server.send("GET", endpoint_id(connection), version=VERSION)
    except ServerRefused:
        return {}
    found: dict[str, Any] = reply.body
    return found


def facts(both: dict[str, Any]) -> dict[str, object]:
    """What is worth knowing about a connection and its endpoint."""
    endpoint = part(both, "endpoint", "properties")
    names = parts(endpoint, "customDnsConfigs")
    listed: list[list[str]] = [each.get("ipAddresses") or [] for each in names]
    addresses = [address for each in listed for address in each]
    failed = endpoint.get("provisioningState") == "Failed"
    links = parts(endpoint, "privateLinkServiceConnections")
    links += parts(endpoint, "manualPrivateLinkServiceConnections")
    needed = [str(part(each, "properties", STATE).get("actionsRequired")) for each in links]
    return row(both) | {
        "address": ", ".join(dict.fromkeys(addresses)),
        "names": ", ".join(str(each.get("fqdn")) for each in names),
        "network": part(endpoint, "subnet").get("id"),
        "listens": f"no: {', '.join(needed)}" if failed else "",
        "connection id": both["id"],
        "id": endpoint_id(both),
    }
