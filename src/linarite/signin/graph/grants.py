"""Roles of applications, held by principals: what puts `roles` into tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.signin.directory.records import AppRoleGrant, ServicePrincipal, User
from linarite.signin.directory.writing import new_id
from linarite.signin.graph.collections import admitted, many, one, record_named
from linarite.signin.graph.refusals import bad, no_such
from linarite.signin.graph.sent import SentGrant, read
from linarite.signin.request import Reply

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask
    from linarite.signin.router import Act

CONTEXT = "appRoleAssignments"


def listing_grants(collection: str) -> Act:
    """GET …/appRoleAssignments: what this principal holds."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        holder: ServicePrincipal | User = record_named(ask, collection, desk)
        return many(ask, CONTEXT, [_shown(holder, each, desk) for each in holder.roles])

    return act


def adding_grant(collection: str) -> Act:
    """POST …/appRoleAssignments. Raises GraphRefused for a role that the resource has not."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        sent = read(ask.body, SentGrant)
        async with desk.directory.turn:
            holder: ServicePrincipal | User = record_named(ask, collection, desk)
            if sent.principal_id.lower() != holder.object_id:
                raise bad("Property 'principalId' is another's than the path's.")
            resource = desk.book.find(ServicePrincipal, sent.resource_id)
            application = desk.book.application(resource.app_id) if resource else None
            if resource is None or application is None:
                raise no_such("service principal", sent.resource_id)
            role_id = sent.app_role_id.lower()
            if role_id not in {each.id for each in application.app_roles}:
                raise bad(f"Permission being assigned was not found on application '{role_id}'.")
            made = AppRoleGrant(new_id(), resource.object_id, role_id)
            if any(
                (each.resource_id, each.role_id) == (made.resource_id, made.role_id)
                for each in holder.roles
            ):
                raise bad("Permission being assigned already exists on the object.")
            await desk.directory.change(holder, roles=(*holder.roles, made))
        return one(ask, CONTEXT, _shown(holder, made, desk), 201)

    return act


def removing_grant(collection: str) -> Act:
    """DELETE …/appRoleAssignments/{grant}."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        async with desk.directory.turn:
            holder: ServicePrincipal | User = record_named(ask, collection, desk)
            kept = tuple(each for each in holder.roles if each.id != ask.names["grant"].lower())
            if len(kept) == len(holder.roles):
                raise no_such("role assignment", ask.names["grant"])
            await desk.directory.change(holder, roles=kept)
        return Reply(status=204)

    return act


def _shown(holder: ServicePrincipal | User, grant: AppRoleGrant, desk: Desk) -> dict[str, Any]:
    resource = desk.book.find(ServicePrincipal, grant.resource_id)
    return {
        "id": grant.id,
        "appRoleId": grant.role_id,
        "principalId": holder.object_id,
        "principalDisplayName": holder.name,
        "principalType": "User" if isinstance(holder, User) else "ServicePrincipal",
        "resourceId": grant.resource_id,
        "resourceDisplayName": resource.name if resource else "",
    }
