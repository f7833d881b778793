"""App registrations and service principals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.signin.directory.records import Application, AppRole, ServicePrincipal
from linarite.signin.directory.writing import new_id
from linarite.signin.graph.collections import admitted, one, record_named, replaced
from linarite.signin.graph.credentials import certificates_of
from linarite.signin.graph.refusals import GraphRefused, bad, taken
from linarite.signin.graph.sent import (
    Redirects,
    SentApplication,
    SentRole,
    SentServicePrincipal,
    given,
    read,
)
from linarite.signin.graph.views import shown
from linarite.signin.request import Reply

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask

APPLICATIONS, PRINCIPALS = "applications", "servicePrincipals"


async def create_application(ask: Ask, desk: Desk) -> Reply:
    """POST /applications."""
    await admitted(ask, APPLICATIONS, desk)
    sent = read(ask.body, SentApplication)
    if not isinstance(sent.display_name, str):
        raise bad("Property 'displayName' is required.")
    async with desk.directory.turn:
        fresh = Application(
            object_id=new_id(),
            app_id=new_id(),
            name=sent.display_name,
            created_at=int(desk.now()),
        )
        made = _with(fresh, sent, desk)
        await desk.directory.put(made)
    return one(ask, APPLICATIONS, shown(made, desk), 201)


async def update_application(ask: Ask, desk: Desk) -> Reply:
    """PATCH /applications/{id}."""
    await admitted(ask, APPLICATIONS, desk)
    sent = read(ask.body, SentApplication)
    async with desk.directory.turn:
        changed = _with(record_named(ask, APPLICATIONS, desk), sent, desk)
        principal = desk.book.service_principal(changed.app_id)
        renamed = [replaced(principal, {"name": changed.name})] if principal else []
        await desk.directory.put(changed, *renamed)
    return Reply(status=204)


async def create_service_principal(ask: Ask, desk: Desk) -> Reply:
    """POST /servicePrincipals: what a registered application signs in as."""
    await admitted(ask, PRINCIPALS, desk)
    sent = read(ask.body, SentServicePrincipal)
    app_id = sent.app_id if isinstance(sent.app_id, str) else ""
    async with desk.directory.turn:
        application = desk.book.application(app_id)
        if application is None:
            raise GraphRefused(
                400,
                "NoBackingApplicationObject",
                f"The appId '{app_id}' of the service principal does not reference a valid "
                "application object: register it first, POST /v1.0/applications.",
            )
        if desk.book.service_principal(app_id) is not None:
            raise GraphRefused(
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                f"The service principal cannot be created: the name {app_id} is already in use.",
            )
        fresh = ServicePrincipal(
            object_id=new_id(),
            app_id=application.app_id,
            name=application.name,
            created_at=int(desk.now()),
        )
        made = _principal_with(fresh, sent)
        await desk.directory.put(made)
    return one(ask, PRINCIPALS, shown(made, desk), 201)


async def update_service_principal(ask: Ask, desk: Desk) -> Reply:
    """PATCH /servicePrincipals/{id}; one that is disabled has no token that holds."""
    await admitted(ask, PRINCIPALS, desk)
    sent = read(ask.body, SentServicePrincipal)
    async with desk.directory.turn:
        await desk.directory.put(_principal_with(record_named(ask, PRINCIPALS, desk), sent))
    return Reply(status=204)


def _principal_with(principal: ServicePrincipal, sent: SentServicePrincipal) -> ServicePrincipal:
    fields = given(sent, enabled="account_enabled", tags="tags")
    if isinstance(sent.key_credentials, list):
        fields["certificates"] = certificates_of(sent.key_credentials, principal.certificates)
    return replaced(principal, _tuples(fields))


def _with(application: Application, sent: SentApplication, desk: Desk) -> Application:
    """The registration after a write. Raises GraphRefused."""
    fields = given(
        sent,
        name="display_name",
        description="description",
        identifier_uris="identifier_uris",
        tags="tags",
    )
    if isinstance(sent.is_fallback_public_client, bool):
        fields["public_client"] = sent.is_fallback_public_client
    web = [each for each in (sent.web, sent.spa) if isinstance(each, Redirects)]
    if any(each.redirect_uris is not None for each in web):
        fields["redirect_uris"] = [uri for each in web for uri in each.redirect_uris or ()]
    if isinstance(sent.public_client, Redirects) and sent.public_client.redirect_uris is not None:
        fields["public_redirect_uris"] = sent.public_client.redirect_uris
    if isinstance(sent.app_roles, list):
        fields["app_roles"] = [_role(each) for each in sent.app_roles]
    if isinstance(sent.key_credentials, list):
        fields["certificates"] = certificates_of(sent.key_credentials, application.certificates)
    changed: Application = replaced(application, _tuples(fields))
    _require_own_names(changed, desk)
    return changed


def _require_own_names(application: Application, desk: Desk) -> None:
    """No two applications answer to one identifier URI."""
    for uri in application.identifier_uris:
        if ":" not in uri:
            raise bad(f"Invalid value '{uri}' for property 'identifierUris': it is a URI.")
        if desk.audiences.is_known(uri):  # tokens for it would be the application's from now on
            raise taken("identifierUris", uri)
        other = desk.book.resource_application(uri)
        if other is not None and other.object_id != application.object_id:
            raise taken("identifierUris", uri)


def _role(sent: SentRole) -> AppRole:
    return AppRole(
        id=sent.id.lower(),
        value=sent.value or "",
        name=sent.display_name,
        description=sent.description or "",
        member_types=sent.allowed_member_types,
    )


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        for name, value in fields.items()
    }
