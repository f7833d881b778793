"""Content policies of a whole subscription: the same rules, with no account to look into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.resources.rai_policies.rules import BUILT_IN, PolicyFacts

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface

TYPE = "Microsoft.CognitiveServices/raiPolicy"


async def gather(surface: Surface, target: Target) -> PolicyFacts:
    """The subscription's policies; blocklists are accounts' own, and not looked for."""
    subscription = target.path.partition("/providers/")[0]
    policies = await surface.resources.list_under(subscription, TYPE)
    names = (*BUILT_IN, *(each.name for each in policies))
    return PolicyFacts(policies=frozenset(name.lower() for name in names), blocklists=None)
