"""Keys that an account gives to single applications: what is laid down about one, where it is kept.

An extension of ours: Azure's accounts have two keys, and whoever divides costs or rights between
applications needs a gateway in front. Here each application has a key of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.domain.principal import KEY, KeyTerms, Principal
from linarite.domain.roles import OPENAI_USER, role_guid
from linarite.domain.usage_limits import MEASURES, Bound, Kind, UsageLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.resource import Resource

APPLICATION_KEY_TYPE = "Linarite.Access/applicationKeys"
KEY_ID = "keyId"
"""property that the server keeps to itself: under which the key store has the key. It is drawn
anew with each resource, so that what is made again under an old name never inherits its key"""
NAME_PREFIX = "app:"
"""what stands before an application key's name wherever a caller is named: Azure's are `key1`"""


class ApplicationKeyStore(Protocol):
    """Keeps digests of application keys, never the keys, and when each was used last.

    Every write but `note_used` is on disk when the call returns.
    """

    async def make(self, account_id: str, key_id: str) -> str:
        """A new key, told here and nowhere else. One made before under the id opens nothing now."""
        ...

    async def digests(self, account_id: str) -> dict[bytes, str]:
        """HMAC-SHA256 digest of each key of the account → the id it was made under."""
        ...

    async def drop(self, account_id: str, key_id: str) -> None:
        """Forget the key of that id, if there is one."""
        ...

    async def note_used(self, used: Mapping[str, int]) -> None:
        """Keep when keys were used last: id → seconds since the epoch. Unknown ids are ignored."""
        ...

    def last_used(self, key_id: str) -> int:
        """Seconds since the epoch, as it was noted last; 0 for never. Touches only memory."""
        ...


def application_key_holder(key: Resource, account_id: str) -> Principal:
    """Whoever calls with the key of a stored resource."""
    said = key.properties
    return Principal(
        kind=KEY,
        name=f"{NAME_PREFIX}{key.name}",
        expires_at=expiry_s(said.get("expiresAt")),
        resource_id=key.id,
        terms=KeyTerms(
            key_id=str(said.get(KEY_ID) or ""),
            role=role_guid(str(said.get("roleDefinitionId") or OPENAI_USER)),
            scope=account_id,
            enabled=bool(said.get("enabled", True)),
            deployments=frozenset(str(each).lower() for each in said.get("deployments") or ()),
            tags=msgspec.json.encode(key.tags).decode() if key.tags else "",
        ),
    )


def key_limit(key: Resource) -> UsageLimit | None:
    """The limit that goes with a key: what its `quota` says. None where it says nothing."""
    quota: Mapping[str, Any] = key.properties.get("quota") or {}
    bounds = tuple(
        Bound(each, int(quota[each.name])) for each in MEASURES if quota.get(each.name) is not None
    )
    if not bounds:
        return None
    account, _, _ = key.id.lower().partition("/providers/linarite.access/")
    return UsageLimit(
        id=key.id,
        name=key.name,
        scope=account,
        kind=Kind.APPLICATION_KEY,
        subject=key.name.lower(),
        bounds=bounds,
    )


def expiry_s(told: object) -> int:
    """Seconds since the epoch of a time as resources tell it; 0 where there is none."""
    return int(moment_of(str(told)).timestamp()) if told else 0


def moment_of(text: str) -> datetime:
    """A time in ISO 8601; without an offset it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
