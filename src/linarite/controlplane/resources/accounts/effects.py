"""What accounts need from the stores, and what writing or deleting one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.resources.accounts.rules import AccountFacts
from linarite.domain.declared import is_declared, settled_by_settings
from linarite.domain.resource import ACCOUNT_TYPE, domain_of

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Resource


async def gather(surface: Surface, target: Target) -> AccountFacts:
    """Regions, and which names other accounts have."""
    accounts = await surface.resources.list_under("", ACCOUNT_TYPE)
    return AccountFacts(
        id=target.path,
        realm=surface.realm,
        domains_taken={domain_of(account): account.id for account in accounts},
        now=surface.now().isoformat(),
    )


async def written(surface: Surface, account: Resource) -> None:
    """An account has keys from its beginning."""
    await surface.keys.ensure(account.id)


async def keep(surface: Surface, account: Resource) -> list[Problem]:
    """An account that settings declare stays."""
    del surface
    return [settled_by_settings(account, "[account]")] if is_declared(account) else []
