"""The server's directory, as commands ask it: Microsoft Graph's paths, with the management key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server

BASE = "/v1.0"
VERSION = "v1.0"
NOUNS = {
    "applications": "application",
    "servicePrincipals": "service principal",
    "users": "user",
    "groups": "group",
}


async def listed(server: Server, path: str, **query: str) -> list[dict[str, Any]]:
    """All items of a collection, page after page."""
    reply = await server.send("GET", f"{BASE}/{path}", version=VERSION, query=query)
    items: list[dict[str, Any]] = list(reply.body["value"])
    while following := reply.body.get("@odata.nextLink"):
        reply = await server.follow(following)
        items += reply.body["value"]
    return items


async def sent(server: Server, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - any JSON
    """What the directory answers to a request."""
    return (await server.send(method, f"{BASE}/{path}", version=VERSION, body=body)).body


async def found(server: Server, collection: str, named: str) -> dict[str, Any]:
    """The one object that is meant: by object id, client id, user name or display name.

    Raises ServerRefused when there is none, SetupError when several have the name.
    """
    keys = ["id", "displayName"]
    if collection in ("applications", "servicePrincipals"):
        keys.insert(1, "appId")
    if collection == "users":
        keys.insert(1, "userPrincipalName")
    value = named.replace("'", "''")
    fitting = await listed(
        server, collection, **{"$filter": " or ".join(f"{key} eq '{value}'" for key in keys)}
    )
    noun = NOUNS[collection]
    if len(fitting) > 1:
        known = ", ".join(f"{each['displayName']} ({each['id']})" for each in fitting)
        raise SetupError(f"Which {noun}? Several are called '{named}': {known}. Give the id.")
    if not fitting:
        raise ServerRefused(f"There is no {noun} '{named}'.", status=NOT_FOUND)
    return fitting[0]


async def path_of(server: Server, collection: str, named: str) -> str:
    """The path of the one object that is meant."""
    return f"{collection}/{quote(str((await found(server, collection, named))['id']))}"
