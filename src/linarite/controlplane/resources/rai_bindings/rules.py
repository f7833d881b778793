"""Which content policy holds for a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.problems import missing_problems
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/raiBindings"
POLICIES = "Microsoft.CognitiveServices/accounts/raiPolicies"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"


class SentBinding(msgspec.Struct, rename="camel"):
    """What may be set."""

    bound_resource_id: str | None = None
    target_policy_name: str | None = None


class BindingFacts(msgspec.Struct, frozen=True):
    """What is known when a binding is admitted."""

    policies: frozenset[str]
    """lower-cased names of the account's policies"""


async def gather(surface: Surface, target: Target) -> BindingFacts:
    """The account's policies."""
    account = parent_id(target.path)
    stored = await surface.resources.list_under(account, POLICIES)
    built_in = surface.rows[POLICIES.lower()].built_in(account)
    return BindingFacts(frozenset(each.name.lower() for each in (*stored, *built_in)))


def admit(new: Resource, old: Resource | None, facts: BindingFacts) -> list[Problem]:
    """It binds a resource to a policy that is there."""
    del old
    if missing := missing_problems(new.properties, "boundResourceId", "targetPolicyName"):
        return missing
    policy = str(new.properties["targetPolicyName"])
    if policy.lower() in facts.policies:
        return []
    return [
        Problem(
            "RaiPolicyNotFound",
            f"The account has no policy '{policy[:100]}'.",
            "properties.targetPolicyName",
        )
    ]
