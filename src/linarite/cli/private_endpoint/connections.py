"""Connections of private endpoints: an account's owner sees and decides these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.cli.arm.answers import part
from linarite.cli.arm.naming import account_id, accounts
from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.domain.arm_id import parent_id, resource_group_of
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server
    from linarite.cli.private_endpoint.flags import NamedFlags

STATE = "privateLinkServiceConnectionState"


async def connections(
    server: Server, account: str | None, group: str | None
) -> list[dict[str, Any]]:
    """Those of an account, or of all that can be seen."""
    if account is not None:
        there = [await account_id(server, account, group)]
    else:
        there = [str(each["id"]) for each in await accounts(server, group)]
    found = [await server.every(f"{each}/privateEndpointConnections") for each in there]
    return [one for ones in found for one in ones]


async def the_one(server: Server, asked: NamedFlags) -> dict[str, Any]:
    """The connection that is meant. Raises ServerRefused where there is none, SetupError."""
    name = asked.required.lower()
    there = await connections(server, asked.account, asked.resource_group)
    fitting = [each for each in there if name in (endpoint_of(each).lower(), _own(each).lower())]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        known = ", ".join(f"{_own(each)} (to {account_of(each)})" for each in fitting)
        raise SetupError(
            f"Which private endpoint? Name the account with --account, or the connection: {known}."
        )
    known = ", ".join(f"{endpoint_of(each)} (to {account_of(each)})" for each in there)
    raise ServerRefused(
        f"There is no private endpoint {asked.required}. There are: {known or 'none'}.",
        status=NOT_FOUND,
    )


def state_of(connection: dict[str, Any]) -> str:
    """Pending, Approved, Rejected or Disconnected."""
    return str(part(connection, "properties", STATE).get("status", ""))


def endpoint_of(connection: dict[str, Any]) -> str:
    """The name of the endpoint that made it."""
    return endpoint_id(connection).rpartition("/")[2]


def endpoint_id(connection: dict[str, Any]) -> str:
    """The endpoint's id."""
    return str(part(connection, "properties", "privateEndpoint").get("id", ""))


def account_of(connection: dict[str, Any]) -> str:
    """The name of the account that it leads to."""
    return parent_id(connection["id"]).rpartition("/")[2]


def row(connection: dict[str, Any]) -> dict[str, object]:
    """Its line in a list."""
    said = part(connection, "properties", STATE)
    return {
        "name": endpoint_of(connection),
        "group": resource_group_of(endpoint_id(connection)),
        "account": account_of(connection),
        "state": said.get("status", ""),
        "description": said.get("description", ""),
        "connection": _own(connection),
    }


def _own(connection: dict[str, Any]) -> str:
    return str(connection["name"]).rpartition("/")[2]
