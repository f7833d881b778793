"""Encryption scopes: keys of a customer's own for parts of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/encryptionScopes"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"
KEY_VAULT = "Microsoft.KeyVault"


class KeyVaultProperties(msgspec.Struct, rename="camel"):
    """Where a key lies."""

    key_name: str | None = None
    key_version: str | None = None
    key_vault_uri: str | None = None
    identity_client_id: str | None = None


class SentScope(msgspec.Struct, rename="camel"):
    """What may be set."""

    key_source: Literal["Microsoft.CognitiveServices", "Microsoft.KeyVault"] | None = None
    key_vault_properties: KeyVaultProperties | None = None
    state: Literal["Enabled", "Disabled"] | None = None


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    return msgspec.structs.replace(
        new,
        properties={
            "keySource": KEY_VAULT,
            "state": "Enabled",
            **new.properties,
            "provisioningState": "Succeeded",
        },
    )


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """A key in a vault has a vault and a name."""
    del old, facts
    if new.properties["keySource"] != KEY_VAULT:
        return []
    key: dict[str, Any] = new.properties.get("keyVaultProperties") or {}
    return [
        Problem(
            "InvalidRequestContent",
            f"A scope whose keySource is {KEY_VAULT} needs keyVaultProperties.{name}.",
            f"properties.keyVaultProperties.{name}",
        )
        for name in ("keyVaultUri", "keyName")
        if not key.get(name)
    ]
