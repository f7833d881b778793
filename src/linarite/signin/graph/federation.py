"""Federated identity credentials of applications and of user-assigned identities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.signin.directory.records import Application, FederatedCredential
from linarite.signin.directory.writing import new_id
from linarite.signin.graph.collections import admitted, many, one, record_named
from linarite.signin.graph.refusals import GraphRefused, bad, no_such, taken
from linarite.signin.graph.sent import SentFederation, given, read
from linarite.signin.graph.views import federated
from linarite.signin.request import Reply

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask

CREDENTIALS_MAX = 20
"""as Entra ID has it"""
APPLICATIONS = "applications"
CONTEXT = "applications/federatedIdentityCredentials"


async def list_federated(ask: Ask, desk: Desk) -> Reply:
    """GET."""
    await admitted(ask, APPLICATIONS, desk)
    application: Application = record_named(ask, APPLICATIONS, desk)
    return many(ask, CONTEXT, [federated(each) for each in application.federated])


async def show_federated(ask: Ask, desk: Desk) -> Reply:
    """GET of one, by id or name."""
    await admitted(ask, APPLICATIONS, desk)
    application: Application = record_named(ask, APPLICATIONS, desk)
    return one(ask, CONTEXT, federated(_named(ask, application)))


async def add_federated(ask: Ask, desk: Desk) -> Reply:
    """POST."""
    await admitted(ask, APPLICATIONS, desk)
    sent = read(ask.body, SentFederation)
    missing = [
        name for name in ("name", "issuer", "subject") if not isinstance(getattr(sent, name), str)
    ]
    if missing or not isinstance(sent.audiences, list):
        raise bad(f"Properties are required: {', '.join([*missing, 'audiences'])}.")
    async with desk.directory.turn:
        application: Application = record_named(ask, APPLICATIONS, desk)
        if len(application.federated) >= CREDENTIALS_MAX:
            raise bad(f"There are {CREDENTIALS_MAX} federated credentials already.")
        made = FederatedCredential(
            id=new_id(),
            name=str(sent.name),
            issuer=str(sent.issuer),
            subject=str(sent.subject),
            audiences=tuple(sent.audiences),
            description=sent.description if isinstance(sent.description, str) else "",
        )
        _require_own(made, application)
        await desk.directory.change(application, federated=(*application.federated, made))
    return one(ask, CONTEXT, federated(made), 201)


async def update_federated(ask: Ask, desk: Desk) -> Reply:
    """PATCH."""
    await admitted(ask, APPLICATIONS, desk)
    sent = read(ask.body, SentFederation)
    fields = given(sent, issuer="issuer", subject="subject", description="description")
    if isinstance(sent.audiences, list):
        fields["audiences"] = tuple(sent.audiences)
    async with desk.directory.turn:
        application: Application = record_named(ask, APPLICATIONS, desk)
        old = _named(ask, application)
        new = msgspec.structs.replace(old, **{k: v or "" for k, v in fields.items()})
        rest = tuple(each for each in application.federated if each.id != old.id)
        _require_own(new, msgspec.structs.replace(application, federated=rest))
        await desk.directory.change(application, federated=(*rest, new))
    return Reply(status=204)


async def remove_federated(ask: Ask, desk: Desk) -> Reply:
    """DELETE."""
    await admitted(ask, APPLICATIONS, desk)
    async with desk.directory.turn:
        application: Application = record_named(ask, APPLICATIONS, desk)
        old = _named(ask, application)
        kept = tuple(each for each in application.federated if each.id != old.id)
        await desk.directory.change(application, federated=kept)
    return Reply(status=204)


def _named(ask: Ask, application: Application) -> FederatedCredential:
    wanted = ask.names["credential"].lower()
    for each in application.federated:
        if wanted in (each.id, each.name.lower()):
            return each
    raise no_such("federated identity credential", wanted)


def _require_own(new: FederatedCredential, application: Application) -> None:
    for each in application.federated:
        if each.name.lower() == new.name.lower():
            raise taken("name", new.name)
        if (each.issuer, each.subject) == (new.issuer, new.subject):
            raise GraphRefused(
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                "FederatedIdentityCredential with name "
                f"{each.name} has the same issuer and subject.",
            )
