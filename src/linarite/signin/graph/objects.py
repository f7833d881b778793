"""Objects of any kind by their ids, the one who asks, the organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.signin.directory.records import Application, Group, Record, ServicePrincipal, User
from linarite.signin.graph.callers import graph_caller, require
from linarite.signin.graph.collections import admitted, many, one
from linarite.signin.graph.refusals import GraphRefused, no_such
from linarite.signin.graph.sent import Ids, read
from linarite.signin.graph.views import shown
from linarite.signin.request import Reply

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask

OBJECTS = "directoryObjects"
KINDS: dict[str, type[Record]] = {
    "user": User,
    "group": Group,
    "serviceprincipal": ServicePrincipal,
    "application": Application,
}


async def by_ids(ask: Ask, desk: Desk) -> Reply:
    """POST /directoryObjects/getByIds: those that are there, in the order of the ids."""
    principal = await graph_caller(ask, desk)
    require(principal, ask_reading(ask), OBJECTS, desk)
    sent = read(ask.body, Ids)
    kinds = tuple(
        KINDS[each.lower()] for each in sent.types or KINDS if each.lower() in KINDS
    ) or tuple(KINDS.values())
    found = [desk.book.record(each) for each in sent.ids]
    return many(ask, OBJECTS, [shown(each, desk) for each in found if isinstance(each, kinds)])


def ask_reading(ask: Ask) -> Ask:
    """The request as what it is: a POST that changes nothing."""
    return type(ask)(method="GET", path=ask.path)


async def by_id(ask: Ask, desk: Desk) -> Reply:
    """GET /directoryObjects/{id}."""
    await admitted(ask, OBJECTS, desk)
    found = desk.book.record(ask.names["id"])
    if found is None:
        raise no_such("object", ask.names["id"])
    return one(ask, OBJECTS, shown(found, desk))


async def me(ask: Ask, desk: Desk) -> Reply:
    """GET /me: whoever has signed in may know it."""
    principal = await graph_caller(ask, desk)
    user = desk.book.find(User, principal.object_id)
    if user is None:
        raise GraphRefused(
            400,
            "BadRequest",
            "/me request is only valid with delegated authentication flow: sign in as a user.",
        )
    return one(ask, "users", shown(user, desk))


async def rotate_keys(ask: Ask, desk: Desk) -> Reply:
    """POST /signingKeys/rotate, which is ours alone: tokens are signed by a new key."""
    await admitted(ask, "signingKeys", desk)
    return Reply(body={"kid": await desk.keys.rotate()})


async def organization(ask: Ask, desk: Desk) -> Reply:
    """GET /organization: this server's tenant."""
    await admitted(ask, "organization", desk)
    return many(
        ask,
        "organization",
        [
            {
                "id": desk.tenant,
                "displayName": "Linarite",
                "tenantType": "AAD",
                "verifiedDomains": [],
                "technicalNotificationMails": [],
                "assignedPlans": [],
            }
        ],
    )
