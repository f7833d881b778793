"""An account's properties with their types, as the specification of 2026-07-01 has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

READ_ONLY = frozenset(
    (
        "provisioningState",
        "endpoint",
        "endpoints",
        "internalId",
        "capabilities",
        "isMigrated",
        "skuChangeInfo",
        "privateEndpointConnections",
        "dateCreated",
        "callRateLimit",
        "quotaLimit",
        "deletionDate",
        "scheduledPurgeDate",
        "commitmentPlanAssociations",
        "abusePenalty",
    )
)

HIDDEN = frozenset(("regionTitle",))
"""what the server keeps beside"""
WRITE_ONLY = frozenset(("restore",))
"""what a PUT asks for and nothing keeps"""


class IpRule(msgspec.Struct, rename="camel"):
    """An address or a range that may call."""

    value: str


class NetworkRule(msgspec.Struct, rename="camel"):
    """A subnet that may call."""

    id: str
    state: str | None = None
    ignore_missing_vnet_service_endpoint: bool | None = None


class NetworkAcls(msgspec.Struct, rename="camel"):
    """Who may call, by network."""

    default_action: Literal["Allow", "Deny"] | None = None
    bypass: Literal["AzureServices", "None"] | None = None
    ip_rules: Annotated[list[IpRule], Meta(max_length=100)] | None = None
    virtual_network_rules: Annotated[list[NetworkRule], Meta(max_length=100)] | None = None


class KeyVaultProperties(msgspec.Struct, rename="camel"):
    """A key of one's own."""

    key_name: str | None = None
    key_version: str | None = None
    key_vault_uri: str | None = None
    identity_client_id: str | None = None


class Encryption(msgspec.Struct, rename="camel"):
    """What seals the account's data."""

    key_source: Literal["Microsoft.CognitiveServices", "Microsoft.KeyVault"] | None = None
    key_vault_properties: KeyVaultProperties | None = None


class UserOwnedStorage(msgspec.Struct, rename="camel"):
    """A storage account of one's own."""

    resource_id: str | None = None
    identity_client_id: str | None = None


class SentAccount(msgspec.Struct, rename="camel"):
    """What may be set; properties that are not here are kept as they come."""

    custom_sub_domain_name: (
        Annotated[str, Meta(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]$")] | None
    ) = None
    public_network_access: Literal["Enabled", "Disabled", "SecuredByPerimeter"] | None = None
    network_acls: NetworkAcls | None = None
    encryption: Encryption | None = None
    user_owned_storage: list[UserOwnedStorage] | None = None
    disable_local_auth: bool | None = None
    dynamic_throttling_enabled: bool | None = None
    stored_completions_disabled: bool | None = None
    restrict_outbound_network_access: bool | None = None
    allowed_fqdn_list: Annotated[list[str], Meta(max_length=1000)] | None = None
    allow_project_management: bool | None = None
    default_project: str | None = None
    associated_projects: list[str] | None = None
    restore: bool | None = None
    migration_token: str | None = None
    api_properties: dict[str, Any] | None = None
