"""What a usage limit may be. A pure module: facts come in, problems go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import SUBSCRIPTION_TYPE, type_of
from linarite.domain.declared import is_declared, settled_by_settings
from linarite.domain.resource import ACCOUNT_TYPE, Resource
from linarite.domain.usage_limits import MEASURES, Kind, limit_scope, of_account

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS_MAX = 500
"""set on one account or subscription: each is looked at whenever an account's facts are read"""
LISTED_MAX = 20
OF_SUBSCRIPTIONS = (Kind.SUBSCRIPTION, Kind.POOL)
"""what only a subscription has"""
WORDS = {
    Kind.DEPLOYMENT: "deployment",
    Kind.APPLICATION_KEY: "application key",
    Kind.PROJECT: "project",
}
"""those that an account has and that can be looked up"""


class LimitFacts(msgspec.Struct, frozen=True):
    """What is known when a usage limit is admitted."""

    others: int
    """how many are set there beside this one"""
    present: Mapping[Kind, tuple[str, ...]]
    """names of what the account has; empty for a subscription's limit"""


def complete(new: Resource, old: Resource | None, facts: LimitFacts) -> Resource:
    """Percentages rise, each once."""
    del old, facts
    properties: dict[str, Any] = new.properties | {"provisioningState": "Succeeded"}
    if warn_at := properties.get("warnAt"):
        properties["warnAt"] = sorted(set(warn_at))
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: LimitFacts) -> list[Problem]:
    """Everything that is wrong with it."""
    if is_declared(old):
        return [settled_by_settings(new, f'[[usage_limits]] name = "{new.name}"')]
    return [
        *_place_problems(new),
        *_subject_problems(new, facts),
        *_bound_problems(new),
        *_number_problems(old, facts),
    ]


def keep_problems(limit: Resource) -> list[Problem]:
    """A limit that settings declare stays."""
    if not is_declared(limit):
        return []
    return [settled_by_settings(limit, f'[[usage_limits]] name = "{limit.name}"')]


def _place_problems(new: Resource) -> Iterator[Problem]:
    scope = limit_scope(new.id)
    if type_of(scope).lower() in (ACCOUNT_TYPE.lower(), SUBSCRIPTION_TYPE.lower()) and scope:
        return
    yield Problem(
        "InvalidUsageLimitScope",
        "A usage limit is set on an account or on the subscription, not on "
        f"'{(scope or '/')[:300]}'. For a single deployment, set it on the account with "
        'appliesTo {"kind": "deployment", "name": "…"}.',
        "id",
    )


def _subject_problems(new: Resource, facts: LimitFacts) -> Iterator[Problem]:
    said: Mapping[str, Any] = new.properties.get("appliesTo") or {}
    target = "properties.appliesTo"
    if not said.get("kind"):
        kinds = ", ".join(Kind)
        yield _invalid(f"Say whose use it limits: appliesTo.kind is one of {kinds}.", target)
        return
    kind, name = Kind(said["kind"]), str(said.get("name") or "")
    local = of_account(limit_scope(new.id))
    if local and kind in OF_SUBSCRIPTIONS:
        yield _invalid(
            f"A limit of the kind '{kind}' spans accounts: set it on the subscription, or use the "
            "kind 'account' here.",
            f"{target}.kind",
        )
    if name and (kind is Kind.SUBSCRIPTION or (local and kind is Kind.ACCOUNT)):
        yield _invalid(
            f"The {kind} is the one that the limit is set on: leave appliesTo.name out.",
            f"{target}.name",
        )
    if kind is Kind.TAG and not name.partition("=")[0]:
        yield _invalid(
            "Name the tag: 'team=search' limits what bears it with this value, 'team' each value "
            "apart.",
            f"{target}.name",
        )
    yield from _unknown_problems(kind, name, facts)


def _unknown_problems(kind: Kind, name: str, facts: LimitFacts) -> Iterator[Problem]:
    """A name that nothing has would never limit anything."""
    there = facts.present.get(kind)
    if not name or there is None or name.lower() in (each.lower() for each in there):
        return
    listed = ", ".join(there[:LISTED_MAX]) or "none"
    yield _invalid(
        f"The account has no {WORDS[kind]} '{name[:100]}', so nothing would be limited. It has: "
        f"{listed}.",
        "properties.appliesTo.name",
    )


def _bound_problems(new: Resource) -> Iterator[Problem]:
    if not any(new.properties.get(each.name) for each in MEASURES):
        names = ", ".join(each.name for each in MEASURES)
        yield _invalid(f"It limits nothing: give at least one of {names}.", "properties")


def _number_problems(old: Resource | None, facts: LimitFacts) -> Iterator[Problem]:
    if old is None and facts.others >= LIMITS_MAX:
        yield Problem(
            "UsageLimitsExhausted",
            f"There are {facts.others} usage limits here, and may be {LIMITS_MAX}. One without "
            "appliesTo.name counts each of its kind apart: it may stand for many.",
            "name",
            409,
        )


def _invalid(message: str, target: str) -> Problem:
    return Problem("InvalidUsageLimit", message, target)
