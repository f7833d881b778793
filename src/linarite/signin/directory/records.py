"""What the directory keeps, as it is stored; named like Microsoft Graph's resources.

Secrets are kept as digests only. An application is what its owner registered; its service
principal is what signs in and what roles are assigned to.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from linarite.domain.resource import Resource

NAMESPACE = "Linarite.SignIn"


class Secret(msgspec.Struct, frozen=True, omit_defaults=True):
    """A client secret: found by its digest, known to nobody but who was shown it once."""

    id: str
    name: str
    hint: str
    """its first three characters"""
    digest: str
    """HMAC-SHA256 under the pepper, in hexadecimal digits"""
    starts_at: int
    ends_at: int
    """seconds since the epoch"""


class Certificate(msgspec.Struct, frozen=True, omit_defaults=True):
    """The public half of a key that a client signs assertions with."""

    id: str
    name: str
    sha1: str
    """`x5t`: thumbprint in base64url, as assertions name it"""
    sha256: str
    """`x5t#S256`"""
    pem: str
    """the certificate"""
    starts_at: int
    ends_at: int


class FederatedCredential(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody elsewhere whose tokens are as good as a secret."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    description: str = ""


class AppRole(msgspec.Struct, frozen=True, omit_defaults=True):
    """A role that an application knows: tokens for it name those of who asks."""

    id: str
    value: str
    name: str = ""
    description: str = ""
    member_types: tuple[str, ...] = ("Application", "User")


class AppRoleGrant(msgspec.Struct, frozen=True, omit_defaults=True):
    """An application's role, held by a principal."""

    id: str
    resource_id: str
    """object id of the service principal whose role it is"""
    role_id: str


class Application(msgspec.Struct, frozen=True, omit_defaults=True):
    """An app registration."""

    object_id: str
    app_id: str
    name: str
    created_at: int
    identifier_uris: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    public_redirect_uris: tuple[str, ...] = ()
    """of programs that can keep no secret"""
    public_client: bool = False
    """may sign people in without a secret (device code)"""
    secrets: tuple[Secret, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    federated: tuple[FederatedCredential, ...] = ()
    app_roles: tuple[AppRole, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()


APPLICATION = "Application"
MANAGED_IDENTITY = "ManagedIdentity"


class ServicePrincipal(msgspec.Struct, frozen=True, omit_defaults=True):
    """An application, or a resource's identity, as it signs in."""

    object_id: str
    app_id: str
    name: str
    created_at: int
    kind: str = APPLICATION
    """Application or ManagedIdentity"""
    resource_id: str = ""
    """of a managed identity: the resource that has it"""
    enabled: bool = True
    valid_from: int = 0
    """tokens issued before are void"""
    roles: tuple[AppRoleGrant, ...] = ()
    secrets: tuple[Secret, ...] = ()
    """those that were added to the service principal itself"""
    certificates: tuple[Certificate, ...] = ()
    tags: tuple[str, ...] = ()


class User(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person."""

    object_id: str
    upn: str
    """what they sign in with: `ada@example.org`"""
    name: str
    created_at: int
    password: str = ""
    """a scrypt hash; "" lets nobody in"""
    mail: str = ""
    given_name: str = ""
    surname: str = ""
    enabled: bool = True
    valid_from: int = 0
    roles: tuple[AppRoleGrant, ...] = ()


class Group(msgspec.Struct, frozen=True, omit_defaults=True):
    """People and service principals, and groups of them."""

    object_id: str
    name: str
    created_at: int
    mail_nickname: str = ""
    description: str = ""
    members: tuple[str, ...] = ()
    """object ids"""
    owners: tuple[str, ...] = ()


Record = Application | ServicePrincipal | User | Group
RecordT = TypeVar("RecordT", bound=Record)

TYPES: dict[type[Any], str] = {
    Application: f"{NAMESPACE}/applications",
    ServicePrincipal: f"{NAMESPACE}/servicePrincipals",
    User: f"{NAMESPACE}/users",
    Group: f"{NAMESPACE}/groups",
}
"""what each is stored as"""
CLASSES: dict[str, type[Any]] = {kind: record for record, kind in TYPES.items()}


def resource_id(kind: type[Any], object_id: str) -> str:
    """The id under which a record is stored."""
    return f"/providers/{TYPES[kind]}/{object_id}"


def resource_of(record: Record) -> Resource:
    """A record as it is stored."""
    kind = type(record)
    return Resource(
        id=resource_id(kind, record.object_id),
        type=TYPES[kind],
        name=record.object_id,
        properties=msgspec.to_builtins(record),
    )


def record_of(resource: Resource) -> Record:
    """A record as it was stored."""
    return msgspec.convert(resource.properties, CLASSES[resource.type])
