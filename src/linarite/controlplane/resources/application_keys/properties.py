"""The shape of application keys."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from linarite.domain.application_key import KEY_ID

NAME = r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}"
OWNER_CHARACTERS_MAX = 256
DEPLOYMENTS_MAX = 100
QUOTA_MAX = 2**53


class SentKeyQuota(msgspec.Struct, rename="camel"):
    """What the key may use in a minute."""

    tokens_per_minute: Annotated[int, Meta(ge=1, le=QUOTA_MAX)] | None = None
    requests_per_minute: Annotated[int, Meta(ge=1, le=QUOTA_MAX)] | None = None


class SentApplicationKey(msgspec.Struct, rename="camel"):
    """What a client may say of an application key."""

    role_definition_id: str | None = None
    """of the one role that its holder has"""
    deployments: (
        Annotated[
            list[Annotated[str, Meta(min_length=1, max_length=64)]],
            Meta(min_length=1, max_length=DEPLOYMENTS_MAX),
        ]
        | None
    ) = None
    """the only ones that it may use; without it all"""
    owner: Annotated[str, Meta(max_length=OWNER_CHARACTERS_MAX)] | None = None
    """whom to ask: an object id, or any text"""
    description: Annotated[str, Meta(max_length=1024)] | None = None
    expires_at: str | None = None
    """ISO 8601; without it the key does not expire"""
    enabled: bool | None = None
    quota: SentKeyQuota | None = None


READ_ONLY = frozenset(("key", "createdAt", "lastUsedAt", "status", "provisioningState"))
HIDDEN = frozenset((KEY_ID,))
