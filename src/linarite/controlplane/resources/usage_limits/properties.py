"""The shape of usage limits."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from linarite.domain.usage_limits import Kind

NAME = r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}"
COUNT_MAX = 2**53
MONEY_MAX = 1_000_000_000
WARNINGS_MAX = 10
DEPLOYMENTS_MAX = 100

Count = Annotated[int, Meta(ge=1, le=COUNT_MAX)]
Money = Annotated[float, Meta(gt=0, le=MONEY_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]


class SentSubject(msgspec.Struct, rename="camel"):
    """Whose use is counted together."""

    kind: Kind | None = None
    name: Name | None = None
    """without it each of its kind is counted apart"""


class SentUsageLimit(msgspec.Struct, rename="camel"):
    """What a client may say of a usage limit."""

    applies_to: SentSubject | None = None
    deployments: Annotated[list[Name], Meta(min_length=1, max_length=DEPLOYMENTS_MAX)] | None = None
    """the only ones whose calls count; without it all"""
    tokens_per_minute: Count | None = None
    requests_per_minute: Count | None = None
    concurrent_requests: Count | None = None
    tokens_per_day: Count | None = None
    tokens_per_month: Count | None = None
    cost_per_day: Money | None = None
    """in the price book's currency"""
    cost_per_month: Money | None = None
    warn_at: (
        Annotated[list[Annotated[int, Meta(ge=1, le=100)]], Meta(max_length=WARNINGS_MAX)] | None
    ) = None
    """percentages"""
    description: Annotated[str, Meta(max_length=1024)] | None = None


READ_ONLY = frozenset(("provisioningState",))
