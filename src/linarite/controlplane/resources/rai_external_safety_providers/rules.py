"""Content filters of other makers, that a subscription's policies may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/raiExternalSafetyProviders"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"
READ_ONLY = frozenset(("createdAt", "lastModifiedAt"))


class SentProvider(msgspec.Struct, rename="camel"):
    """What may be set; secrets are named, not told."""

    provider_id: str | None = None
    provider_name: str | None = None
    mode: str | None = None
    url: str | None = None
    secret_name: str | None = None
    managed_identity: str | None = None
    key_vault_uri: str | None = None


def show(provider: Resource, showing: Showing) -> dict[str, Any]:
    """The stored properties, and when it was made and changed."""
    del showing
    times = {name: provider.system_data.get(name) for name in READ_ONLY}
    return provider.properties | {name: at for name, at in times.items() if at}
