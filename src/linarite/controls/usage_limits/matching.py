"""Which limits a call meets. All that match count; none stands in for another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from linarite.controls.usage_limits.subjects import SubjectBook
from linarite.controls.usage_limits.thresholds import ThresholdWatch
from linarite.domain.usage_limits import Kind, merged_tags, of_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from linarite.domain.ledger import Bucket
    from linarite.domain.usage_limits import Caller, Subject, UsageLimit

REMEMBERED_MAX = 4096
"""calls whose limits are remembered; a look-up in them costs a fraction of a microsecond"""
REMEMBERED_S = 30.0
"""and how long, so that whoever still comes is known to"""


class LimitDesk(msgspec.Struct, frozen=True):
    """What all accounts' limits share, and what outlives the facts that are read anew."""

    subjects: SubjectBook = msgspec.field(default_factory=SubjectBook)
    watch: ThresholdWatch = msgspec.field(default_factory=ThresholdWatch)


class Served(msgspec.Struct, frozen=True):
    """A deployment, by what limits look at."""

    name: str
    account: str
    """the account's name"""
    pool: str
    """`OpenAI.Standard.gpt-4o`"""
    location: str
    tags: Mapping[str, str] = {}
    """its own and its account's"""


class AccountLimits:
    """The limits that the calls of one account may meet, compiled once."""

    def __init__(
        self,
        limits: Sequence[UsageLimit],
        deployments: Mapping[str, Served],
        key_tags: Mapping[str, Mapping[str, str]],
        desk: LimitDesk,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`deployments` by id, `key_tags` by the application key's name in lower case."""
        self._limits = tuple(limits)
        self._deployments = deployments
        self._key_tags = key_tags
        self._desk = desk
        kinds = {each.kind for each in limits}
        self.by_key = Kind.APPLICATION_KEY in kinds or (Kind.TAG in kinds and bool(key_tags))
        self.by_principal = Kind.PRINCIPAL in kinds
        self.by_end_user = Kind.END_USER in kinds
        self.by_project = Kind.PROJECT in kinds
        self._clock = clock
        self._remembered: dict[tuple[str, str, str, str, str], tuple[Bucket, ...]] = {}
        self._remembered_until = 0.0

    def buckets(self, deployment_id: str, caller: Caller) -> tuple[Bucket, ...]:
        """See LimitsInForce. Of the caller's names, those that no limit looks at don't matter."""
        application_key, principal, end_user, project = caller
        key = (
            deployment_id,
            application_key if self.by_key else "",
            principal if self.by_principal else "",
            end_user if self.by_end_user else "",
            project if self.by_project else "",
        )
        now = self._clock()
        if now > self._remembered_until or len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
            self._remembered_until = now + REMEMBERED_S
        found = self._remembered.get(key)
        if found is None:
            found = self._remembered[key] = tuple(
                self._desk.watch.bucket(subject, bound)
                for subject in self._matching(deployment_id, caller)
                for bound in subject.limit.bounds
            )
        return found

    def _matching(self, deployment_id: str, caller: Caller) -> Iterator[Subject]:
        """Whom a call is counted for, and in which limits."""
        served = self._deployments.get(deployment_id)
        if served is None:
            return
        for limit in self._limits:
            if limit.deployments and served.name.lower() not in limit.deployments:
                continue
            if name := self._subject(limit, served, caller):
                yield self._desk.subjects.subject(limit, name)

    def _subject(self, limit: UsageLimit, served: Served, caller: Caller) -> str:
        """Whom it counts the call for; "" where it does not count."""
        if limit.kind is Kind.TAG:
            return _tagged(
                limit, merged_tags(served.tags, self._key_tags.get(caller.application_key))
            )
        name = _name(limit.kind, served, caller)
        if not name:
            return ""
        place = _place(limit.kind, served)
        full = f"{place}/{name}" if place else name
        if limit.subject:
            same = (name, full) if limit.kind is Kind.END_USER else (name.lower(), full.lower())
            return limit.subject if limit.subject in same else ""
        return name if of_account(limit.scope) else full


def _name(kind: Kind, served: Served, caller: Caller) -> str:
    names = {
        Kind.SUBSCRIPTION: "subscription",
        Kind.POOL: served.pool,
        Kind.ACCOUNT: served.account,
        Kind.DEPLOYMENT: served.name,
        Kind.APPLICATION_KEY: caller.application_key,
        Kind.PRINCIPAL: caller.principal,
        Kind.END_USER: caller.end_user,
        Kind.PROJECT: caller.project,
    }
    return names[kind]


def _place(kind: Kind, served: Served) -> str:
    """What stands before a name where a subscription has several of that name."""
    if kind is Kind.POOL:
        return served.location
    if kind in (Kind.DEPLOYMENT, Kind.APPLICATION_KEY, Kind.PROJECT):
        return served.account
    return ""


def _tagged(limit: UsageLimit, tags: Mapping[str, str]) -> str:
    """Tag names are compared without case, as Azure compares them; so are values here."""
    name, value = limit.tag
    for key, borne in tags.items():
        if key.lower() == name and (not value or borne.lower() == value):
            return limit.subject if value else f"{name}={borne.lower()}"
    return ""
