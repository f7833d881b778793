"""Limits on use: on what of whom they count, and how much of it there may be.

An extension of ours. Azure limits deployments alone, so people put gateways in front to keep an
application, a person or a team to its tokens and its money; here the service does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from linarite.domain.arm_id import subscription_of
from linarite.domain.ledger import Bucket, Window
from linarite.domain.ledger import Measure as Counted
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.resource import Resource

USAGE_LIMIT_TYPE = "Linarite.Quota/usageLimits"
NANO = 1_000_000_000
"""money is counted in billionths of the price book's currency"""
PROJECT_TYPE = "Microsoft.CognitiveServices/accounts/projects"


class Kind(StrEnum):
    """Whose use is counted together."""

    SUBSCRIPTION = "subscription"
    """of all accounts together"""
    POOL = "pool"
    """of the deployments of a model and deployment type in a region, as `OpenAI.Standard.gpt-4o`"""
    ACCOUNT = "account"
    DEPLOYMENT = "deployment"
    APPLICATION_KEY = "applicationKey"
    PRINCIPAL = "principal"
    """people, applications and managed identities, by object id"""
    END_USER = "endUser"
    """as requests name them, in `safety_identifier` or `user`"""
    PROJECT = "project"
    TAG = "tag"
    """of what bears a tag `NAME=VALUE`; `NAME` alone counts each value apart"""


class Measure(msgspec.Struct, frozen=True):
    """One of the things that a limit may bound."""

    name: str
    """the property that says how much: `tokensPerMinute`"""
    counts: Counted
    window: Window
    title: str
    """in words: `tokens a minute`"""


MEASURES = (
    Measure("tokensPerMinute", "tokens", Window.MINUTE, "tokens a minute"),
    Measure("requestsPerMinute", "requests", Window.MINUTE, "requests a minute"),
    Measure("concurrentRequests", "concurrent", Window.HELD, "requests at the same time"),
    Measure("tokensPerDay", "tokens", Window.DAY, "tokens a day"),
    Measure("tokensPerMonth", "tokens", Window.MONTH, "tokens a month"),
    Measure("costPerDay", "cost", Window.DAY, "money a day"),
    Measure("costPerMonth", "cost", Window.MONTH, "money a month"),
)
"""days and months are UTC's"""


class Bound(msgspec.Struct, frozen=True):
    """How much there may be of one measure."""

    measure: Measure
    amount: int
    """tokens, requests, or billionths of the price book's currency"""


class UsageLimit(msgspec.Struct, frozen=True):
    """A limit as it is laid down."""

    id: str
    """the ARM resource id"""
    name: str
    scope: str
    """lower-cased ARM id of the account or subscription whose calls it counts"""
    kind: Kind
    subject: str = ""
    """the one that is limited, in lower case but for end users; "" for each of its kind, counted
    apart"""
    deployments: frozenset[str] = frozenset()
    """in lower case; calls of others do not count; empty for all"""
    bounds: tuple[Bound, ...] = ()
    warn_at: tuple[int, ...] = ()
    """percentages, rising"""

    @property
    def tag(self) -> tuple[str, str]:
        """Name and value of the tag that it counts; "" for each value."""
        name, _, value = self.subject.partition("=")
        return name, value


class Caller(NamedTuple):
    """Whom a call is counted for, beyond the deployment that serves it."""

    application_key: str = ""
    """lower-cased name of the application's key that it came with"""
    principal: str = ""
    """object id"""
    end_user: str = ""
    project: str = ""


class Subject(msgspec.Struct, frozen=True):
    """One of those whom a limit counts apart."""

    limit: UsageLimit
    name: str
    """as people know it: an object id, a key's name, `team=search`"""

    def bucket(self, bound: Bound) -> Bucket:
        """Where its use of one measure is counted."""
        limit, measure = self.limit, bound.measure
        return Bucket(
            key=f"{limit.id.lower()}|{measure.name}|{self.name}",
            name=f"usageLimits/{limit.name}/{measure.name}",
            measure=measure.counts,
            limit=bound.amount,
            window=measure.window,
            remedy=f"raise {measure.name} of the usage limit '{limit.name}', which counts "
            f"{'the' if limit.subject else 'each'} {limit.kind} {limit.subject}".rstrip(),
        )


class LimitsInForce(Protocol):
    """The limits that an account's calls may meet, read once."""

    def buckets(self, deployment_id: str, caller: Caller) -> tuple[Bucket, ...]:
        """All that a call is counted in."""
        ...


class Standing(msgspec.Struct, frozen=True):
    """How much a subject has used of one measure."""

    subject: str
    """as people know it"""
    bound: Bound
    used: int
    """what is reserved for requests that run included"""
    resets_at: str = ""
    """ISO 8601; "" where it is given back little by little, or as requests end"""


class LimitCounts(Protocol):
    """Tells what is used of limits."""

    async def standing(self, limit: UsageLimit) -> list[Standing]:
        """Of each subject that is remembered, a line for each measure."""
        ...


class NoCounts:
    """Where nothing is limited."""

    async def standing(self, limit: UsageLimit) -> list[Standing]:
        """See LimitCounts."""
        del limit
        return []


def merged_tags(*layers: Mapping[str, str] | None) -> dict[str, str]:
    """Tags of a resource and of what it lies in, the innermost last: it wins.

    Names are compared without case, as Azure compares them.
    """
    by_name: dict[str, tuple[str, str]] = {}
    for layer in layers:
        for name, value in (layer or {}).items():
            by_name[name.lower()] = (name, str(value))
    return dict(by_name.values())


def usage_limit(stored: Resource) -> UsageLimit:
    """A stored one."""
    said = stored.properties
    applies: Mapping[str, Any] = said["appliesTo"]
    kind, name = Kind(applies["kind"]), str(applies.get("name") or "")
    return UsageLimit(
        id=stored.id,
        name=stored.name,
        scope=limit_scope(stored.id),
        kind=kind,
        subject=name if kind is Kind.END_USER else name.lower(),
        deployments=frozenset(str(each).lower() for each in said.get("deployments") or ()),
        bounds=tuple(
            Bound(each, amount_of(each, said[each.name]))
            for each in MEASURES
            if said.get(each.name) is not None
        ),
        warn_at=tuple(sorted(said.get("warnAt") or ())),
    )


def limit_scope(limit_id: str) -> str:
    """The lower-cased id of what a limit is set on."""
    return limit_id.lower().rpartition(f"/providers/{USAGE_LIMIT_TYPE.lower()}/")[0]


def is_usage_limit(resource_id: str) -> bool:
    """Whether an id is of one."""
    return f"/providers/{USAGE_LIMIT_TYPE.lower()}/" in resource_id.lower()


def of_account(scope: str) -> bool:
    """Whether a scope is an account, not a subscription."""
    return f"/providers/{ACCOUNT_TYPE.lower()}/" in scope.lower()


def counts_in(limit: UsageLimit, account_id: str) -> bool:
    """Whether the calls of an account may meet a limit."""
    lowered = account_id.lower()
    return limit.scope == lowered or limit.scope == f"/subscriptions/{subscription_of(lowered)}"


def amount_of(measure: Measure, said: float) -> int:
    """As it is counted."""
    return round(said * NANO) if measure.counts == "cost" else int(said)


def told(measure: Measure, amount: int) -> float:
    """As people read it."""
    return amount / NANO if measure.counts == "cost" else amount
