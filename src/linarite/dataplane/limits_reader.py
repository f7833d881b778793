"""Reading the usage limits that the calls of an account may meet, and the tags they look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controls.usage_limits import AccountLimits, LimitDesk, Served
from linarite.domain.application_key import key_limit
from linarite.domain.rate_limits import pool_name
from linarite.domain.usage_limits import (
    USAGE_LIMIT_TYPE,
    counts_in,
    merged_tags,
    usage_limit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from linarite.domain.facts import Deployment
    from linarite.domain.resource import Resource, ResourceStore
    from linarite.domain.usage_limits import UsageLimit


class LimitsReader:
    """Compiles limits, account by account."""

    def __init__(self, resources: ResourceStore, desk: LimitDesk) -> None:
        self._resources = resources
        self._desk = desk

    async def read(
        self,
        account: Resource,
        deployments: Mapping[str, tuple[Resource, Deployment]],
        keys: Sequence[Resource],
    ) -> AccountLimits | None:
        """Those that count in the account; None where there are none.

        `deployments` by any name, `keys` are the account's application keys.
        """
        stored = await self._resources.list_under("", USAGE_LIMIT_TYPE)
        limits: list[UsageLimit] = [
            limit for limit in map(usage_limit, stored) if counts_in(limit, account.id)
        ]
        limits += [limit for key in keys if (limit := key_limit(key)) is not None]
        if not limits:
            return None
        return AccountLimits(
            limits,
            {
                found.id: Served(
                    name=found.name,
                    account=account.name,
                    pool=pool_name(found.sku.name, found.model.name),
                    location=account.location or "local",
                    tags=merged_tags(account.tags, resource.tags),
                )
                for resource, found in deployments.values()
            },
            {key.name.lower(): key.tags for key in keys if key.tags},
            self._desk,
        )


def tags_text(tags: Mapping[str, str]) -> str:
    """As records keep tags: a JSON object, "" for none."""
    return msgspec.json.encode(dict(sorted(tags.items()))).decode() if tags else ""


def project_names(projects: Iterable[Resource]) -> frozenset[str]:
    """In lower case."""
    return frozenset(each.name.lower() for each in projects)
