"""Records as Graph shows them; nothing of a secret but its hint and its dates."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from linarite.signin.directory.records import (
    MANAGED_IDENTITY,
    Application,
    AppRole,
    Certificate,
    FederatedCredential,
    Group,
    Record,
    Secret,
    ServicePrincipal,
    User,
)

if TYPE_CHECKING:
    from linarite.signin.desk import Desk


def moment(seconds: float) -> str:
    """A time as Graph writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(record: Record, desk: Desk) -> dict[str, Any]:
    """Any record."""
    if isinstance(record, Application):
        return _application(record)
    if isinstance(record, ServicePrincipal):
        return _service_principal(record, desk)
    if isinstance(record, User):
        return _user(record)
    return _group(record)


def _application(record: Application) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.application",
        "id": record.object_id,
        "appId": record.app_id,
        "displayName": record.name,
        "description": record.description or None,
        "createdDateTime": moment(record.created_at),
        "identifierUris": list(record.identifier_uris),
        "isFallbackPublicClient": record.public_client,
        "signInAudience": "AzureADMyOrg",
        "web": {"redirectUris": list(record.redirect_uris)},
        "spa": {"redirectUris": []},
        "publicClient": {"redirectUris": list(record.public_redirect_uris)},
        "appRoles": [_app_role(each) for each in record.app_roles],
        "passwordCredentials": [secret(each) for each in record.secrets],
        "keyCredentials": [certificate(each) for each in record.certificates],
        "requiredResourceAccess": [],
        "api": {"oauth2PermissionScopes": []},
        "tags": list(record.tags),
    }


def _service_principal(record: ServicePrincipal, desk: Desk) -> dict[str, Any]:
    application = desk.book.application(record.app_id)
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": record.object_id,
        "appId": record.app_id,
        "displayName": record.name,
        "appDisplayName": record.name,
        "createdDateTime": moment(record.created_at),
        "accountEnabled": record.enabled,
        "appOwnerOrganizationId": desk.tenant,
        "servicePrincipalType": record.kind,
        "servicePrincipalNames": [
            record.app_id,
            *(application.identifier_uris if application else ()),
        ],
        "alternativeNames": [f"isExplicit={_explicit(record)}", record.resource_id]
        if record.kind == MANAGED_IDENTITY
        else [],
        "appRoles": [_app_role(each) for each in application.app_roles] if application else [],
        "passwordCredentials": [secret(each) for each in record.secrets],
        "keyCredentials": [certificate(each) for each in record.certificates],
        "oauth2PermissionScopes": [],
        "tags": list(record.tags),
    }


def _explicit(record: ServicePrincipal) -> bool:
    return "/microsoft.managedidentity/" in record.resource_id.lower()


def _user(record: User) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.user",
        "id": record.object_id,
        "userPrincipalName": record.upn,
        "displayName": record.name,
        "givenName": record.given_name or None,
        "surname": record.surname or None,
        "mail": record.mail or None,
        "mailNickname": record.upn.partition("@")[0],
        "accountEnabled": record.enabled,
        "createdDateTime": moment(record.created_at),
        "userType": "Member",
        "businessPhones": [],
    }


def _group(record: Group) -> dict[str, Any]:
    return {
        "@odata.type": "#microsoft.graph.group",
        "id": record.object_id,
        "displayName": record.name,
        "description": record.description or None,
        "mailNickname": record.mail_nickname,
        "mailEnabled": False,
        "securityEnabled": True,
        "groupTypes": [],
        "createdDateTime": moment(record.created_at),
    }


def _app_role(role: AppRole) -> dict[str, Any]:
    return {
        "id": role.id,
        "value": role.value,
        "displayName": role.name or role.value,
        "description": role.description,
        "isEnabled": True,
        "allowedMemberTypes": list(role.member_types),
    }


def secret(kept: Secret) -> dict[str, Any]:
    """A client secret, without its text."""
    return {
        "keyId": kept.id,
        "displayName": kept.name,
        "hint": kept.hint,
        "startDateTime": moment(kept.starts_at),
        "endDateTime": moment(kept.ends_at),
        "secretText": None,
    }


def certificate(kept: Certificate) -> dict[str, Any]:
    """A certificate's dates and thumbprint."""
    sha1 = base64.urlsafe_b64decode(kept.sha1 + "==").hex().upper()
    return {
        "keyId": kept.id,
        "displayName": kept.name,
        "customKeyIdentifier": sha1,
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "startDateTime": moment(kept.starts_at),
        "endDateTime": moment(kept.ends_at),
        "key": None,
    }


def federated(kept: FederatedCredential) -> dict[str, Any]:
    """A federated identity credential."""
    return {
        "id": kept.id,
        "name": kept.name,
        "issuer": kept.issuer,
        "subject": kept.subject,
        "audiences": list(kept.audiences),
        "description": kept.description or None,
    }
