"""What a content policy may be. A pure module: facts come in, problems go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.resource import DEPLOYMENT_TYPE, Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface

TYPE = "Microsoft.CognitiveServices/accounts/raiPolicies"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"
BUILT_IN = ("Microsoft.Default", "Microsoft.DefaultV2")
HARMS = ("Hate", "Sexual", "Violence", "Selfharm")
SOURCES = ("Prompt", "Completion")


Source = Literal["Prompt", "Completion", "PreToolCall", "PostToolCall", "PreRun", "PostRun"]


class ContentFilter(msgspec.Struct, rename="camel"):
    """One filter of a policy."""

    name: str | None = None
    enabled: bool | None = None
    blocking: bool | None = None
    severity_threshold: Literal["Low", "Medium", "High"] | None = None
    source: Source | None = None
    action: Literal["None", "BLOCKING", "ANNOTATING", "HITL", "RETRY"] | None = None


class CustomBlocklist(msgspec.Struct, rename="camel"):
    """A blocklist that a policy uses."""

    blocklist_name: str | None = None
    blocking: bool | None = None
    source: Source | None = None


class SafetyProvider(msgspec.Struct, rename="camel"):
    """A filter of another maker that a policy uses."""

    safety_provider_name: str | None = None
    blocking: bool | None = None
    source: Source | None = None


class SentPolicy(msgspec.Struct, rename="camel"):
    """What may be set."""

    mode: Literal["Default", "Deferred", "Blocking", "Asynchronous_filter"] | None = None
    base_policy_name: str | None = None
    content_filters: list[ContentFilter] | None = None
    custom_blocklists: list[CustomBlocklist] | None = None
    safety_providers: list[SafetyProvider] | None = None


class PolicyFacts(msgspec.Struct, frozen=True):
    """What is known when a policy is admitted."""

    policies: frozenset[str]
    """lower-cased names of the account's policies"""
    blocklists: frozenset[str] | None
    """None: they are not looked for"""


async def gather(surface: Surface, target: Target) -> PolicyFacts:
    """The account's policies and blocklists."""
    account = target.path.rpartition("/raiPolicies/")[0]
    policies = await surface.resources.list_under(account, TYPE)
    lists = await surface.resources.list_under(
        account, "Microsoft.CognitiveServices/accounts/raiBlocklists"
    )
    return PolicyFacts(
        policies=frozenset(each.name.lower() for each in (*policies, *built_in(account))),
        blocklists=frozenset(each.name.lower() for each in lists),
    )


def built_in(account: str) -> tuple[Resource, ...]:
    """The policies that every account has."""
    filters = [
        {
            "name": harm,
            "enabled": True,
            "blocking": True,
            "severityThreshold": "Medium",
            "source": source,
        }
        for harm in HARMS
        for source in SOURCES
    ]
    return tuple(
        Resource(
            id=f"{account}/raiPolicies/{name}",
            type=TYPE,
            name=name,
            properties={"type": "SystemManaged", "mode": "Blocking", "contentFilters": filters},
        )
        for name in BUILT_IN
    )


def complete(new: Resource, old: Resource | None, facts: PolicyFacts) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    defaults: dict[str, Any] = {
        "mode": "Default",
        "basePolicyName": BUILT_IN[0],
        "contentFilters": [],
    }
    return msgspec.structs.replace(
        new, properties=defaults | new.properties | {"type": "UserManaged"}
    )


def admit(new: Resource, old: Resource | None, facts: PolicyFacts) -> list[Problem]:
    """Every problem of the policy as it would be."""
    if old is not None and old.properties.get("type") == "SystemManaged":
        return [_system_managed(old)]
    found: list[Problem] = []
    base = str(new.properties["basePolicyName"])
    if base.lower() not in facts.policies or base.lower() == new.name.lower():
        found.append(
            Problem(
                "InvalidBasePolicy",
                f"There is no other policy '{base[:100]}' here to build on.",
                "properties.basePolicyName",
            )
        )
    blocklists: list[dict[str, Any]] = new.properties.get("customBlocklists") or []
    found += [
        Problem(
            "BlocklistNotFound",
            f"The account has no blocklist '{str(each.get('blocklistName'))[:100]}'.",
            f"properties.customBlocklists[{place}].blocklistName",
        )
        for place, each in enumerate(blocklists)
        if facts.blocklists is not None
        and str(each.get("blocklistName")).lower() not in facts.blocklists
    ]
    return found


async def keep(surface: Surface, policy: Resource) -> list[Problem]:
    """A built-in policy stays, and one that a deployment uses."""
    if policy.properties.get("type") == "SystemManaged":
        return [_system_managed(policy)]
    account = policy.id.rpartition("/raiPolicies/")[0]
    deployments = await surface.resources.list_under(account, DEPLOYMENT_TYPE)
    users = [
        each.name
        for each in deployments
        if str(each.properties.get("raiPolicyName")).lower() == policy.name.lower()
    ]
    if not users:
        return []
    return [
        Problem(
            "RaiPolicyInUse",
            f"The policy '{policy.name}' is used by deployment(s) {', '.join(sorted(users)[:10])}. "
            "Give them another raiPolicyName first.",
            status=409,
        )
    ]


def _system_managed(policy: Resource) -> Problem:
    return Problem(
        "RaiPolicyIsSystemManaged",
        f"'{policy.name}' is managed by the system and can't be changed or deleted.",
        status=409,
    )
