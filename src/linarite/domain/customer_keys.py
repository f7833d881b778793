"""Keys that customers keep: without them nobody opens what an account has sealed.

Source: learn.microsoft.com, "Customer-managed keys for encryption" of Azure AI services: an account
names a key of a key vault in `properties.encryption`. A key's id is what a key vault calls it,
`https://VAULT/keys/NAME/VERSION`; ids are compared without case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from linarite.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OWN_KEY_SOURCE = "Microsoft.KeyVault"
"""the `keySource` of accounts whose key the customer keeps"""


class CustomerKeyUnavailable(GatewayError):
    """The key that an account is sealed with is not there, or is another one by now.

    The code is that of Azure Storage; Azure AI services have told none.
    """

    status = 403
    code = "KeyVaultEncryptionKeyNotFound"
    control = "authentication"

    def __init__(self, key_id: str) -> None:
        """Name the key: who asks needs it back."""
        super().__init__(
            f"The key vault key '{key_id}' is not found to unwrap the encryption key of this "
            "resource. Whoever runs the server puts it back into its key vault ([key_vaults.NAME])."
        )
        self.key_id = key_id


class CustomerKeys(Protocol):
    """The keys of key vaults. What can't be read is not there."""

    def known(self) -> tuple[str, ...]:
        """The ids of all keys; of the versions of one name the newest comes last."""
        ...

    def find(self, key_id: str) -> bytes | None:
        """A key's bytes, at least 32; None when it is not there."""
        ...


class NoCustomerKeys:
    """`CustomerKeys` where settings declare no key vault."""

    def known(self) -> tuple[str, ...]:
        """None."""
        return ()

    def find(self, key_id: str) -> bytes | None:
        """No key."""
        del key_id


def key_name(vault_uri: str, name: str) -> str:
    """What the ids of a key's versions begin with, up to the version."""
    return f"{vault_uri.rstrip('/')}/keys/{name}/"


def asked_key(properties: Mapping[str, Any]) -> str:
    """The id that an account's properties name: without a version it ends with a slash.

    "" where the account is sealed by this server alone.
    """
    encryption = cast("dict[str, Any]", properties.get("encryption") or {})
    if encryption.get("keySource") != OWN_KEY_SOURCE:
        return ""
    vault = cast("dict[str, Any]", encryption.get("keyVaultProperties") or {})
    begin = key_name(str(vault.get("keyVaultUri") or ""), str(vault.get("keyName") or ""))
    return f"{begin}{vault.get('keyVersion') or ''}"


def present_key(asked: str, known: Sequence[str]) -> str | None:
    """The key that is asked for, of no version the newest; None when it is not there."""
    wanted = asked.lower()
    if not wanted.endswith("/"):
        return next((each for each in known if each.lower() == wanted), None)
    versions = [each for each in known if each.lower().startswith(wanted)]
    return versions[-1] if versions else None
