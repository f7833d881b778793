"""How connections prove who they are: the words of `authType`, and what belongs to each.

Source: the provider's specification, `ConnectionAuthType` and the classes of `credentials`.
"""

from __future__ import annotations

import msgspec


class NoCredentials(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing secret: an identity, or the caller's own token."""


class AccessToken(msgspec.Struct, forbid_unknown_fields=True):
    """PAT."""

    pat: str | None = None


class ManagedIdentity(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """ManagedIdentity."""

    client_id: str | None = None
    resource_id: str | None = None


class UsernamePassword(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """UsernamePassword."""

    username: str | None = None
    password: str | None = None
    security_token: str | None = None


class SharedAccessSignature(msgspec.Struct, forbid_unknown_fields=True):
    """SAS."""

    sas: str | None = None


class Key(msgspec.Struct, forbid_unknown_fields=True):
    """AccountKey and ApiKey."""

    key: str | None = None


class ServicePrincipal(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """ServicePrincipal."""

    client_id: str | None = None
    client_secret: str | None = None
    tenant_id: str | None = None


class AccessKey(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """AccessKey."""

    access_key_id: str | None = None
    secret_access_key: str | None = None


class CustomKeys(msgspec.Struct, forbid_unknown_fields=True):
    """CustomKeys."""

    keys: dict[str, str] = {}


class OAuth2(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """OAuth2."""

    auth_url: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    developer_token: str | None = None
    password: str | None = None
    refresh_token: str | None = None
    tenant_id: str | None = None
    username: str | None = None


CREDENTIALS: dict[str, type[msgspec.Struct]] = {
    "PAT": AccessToken,
    "ManagedIdentity": ManagedIdentity,
    "UsernamePassword": UsernamePassword,
    "None": NoCredentials,
    "SAS": SharedAccessSignature,
    "AccountKey": Key,
    "ServicePrincipal": ServicePrincipal,
    "AccessKey": AccessKey,
    "ApiKey": Key,
    "CustomKeys": CustomKeys,
    "OAuth2": OAuth2,
    "AAD": NoCredentials,
    "DelegatedSAS": NoCredentials,
    "ProjectManagedIdentity": NoCredentials,
    "AccountManagedIdentity": NoCredentials,
    "UserEntraToken": NoCredentials,
    "AgentUserImpersonation": NoCredentials,
    "AgenticIdentityToken": NoCredentials,
    "AgenticUser": NoCredentials,
}
"""`authType` → what its `credentials` may hold"""
