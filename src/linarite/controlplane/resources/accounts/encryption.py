"""What `encryption` of an account may be. A pure module.

Source: learn.microsoft.com, "Customer-managed keys for encryption". Azure asks the key vault as the
account's managed identity; here settings say where the keys of a vault lie, so no identity is asked
for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.domain.arm_errors import Problem
from linarite.domain.customer_keys import asked_key, present_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PLACE = "properties.encryption.keyVaultProperties"


def encryption_problems(properties: Mapping[str, Any], known: Sequence[str]) -> Iterator[Problem]:
    """Why an account can't be sealed as it asks. `known` are the keys of all key vaults."""
    asked = asked_key(properties)
    if not asked:
        return
    encryption = cast("dict[str, Any]", properties["encryption"])
    vault = cast("dict[str, Any]", encryption.get("keyVaultProperties") or {})
    missing = [name for name in ("keyVaultUri", "keyName") if not vault.get(name)]
    for name in missing:
        yield Problem(
            "InvalidRequestContent",
            f"With keySource Microsoft.KeyVault a key must be named: '{PLACE}.{name}' is missing.",
            f"{PLACE}.{name}",
        )
    if not missing and present_key(asked, known) is None:
        yield Problem(
            "KeyVaultEncryptionKeyNotFound",
            f"The key '{asked[:300]}' is not there. Settings of this server say where the keys of "
            "a key vault lie: [key_vaults.NAME] with its uri and a folder, in it a file "
            "NAME/VERSION of 64 hexadecimal digits.",
            PLACE,
        )
