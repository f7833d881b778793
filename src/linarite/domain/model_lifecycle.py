"""The life of a model version: when it may be deployed, until when it answers, what follows it.

Stages and words are Azure's (learn.microsoft.com, "Foundry Models lifecycle and support policy").
The documentation and the API differ by one: what the page calls Deprecated is `Deprecating` in
`lifecycleStatus`, and what it calls Retired is `Deprecated` there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

Stage = Literal["Preview", "GenerallyAvailable", "Legacy"]
"""how finished its makers call it, until it is deprecated"""
LifecycleStatus = Literal["Preview", "GenerallyAvailable", "Legacy", "Deprecating", "Deprecated"]
"""as ARM's `lifecycleStatus` says it"""

_NUMBERS = re.compile(r"\d+")


class Replacement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What deployments of a version move to (ARM's `replacementConfig`)."""

    name: str = ""
    """"" is the same model"""
    version: str = ""
    """"" is its default version"""
    upgrade_from: datetime | None = None
    """deployments that follow the default version are not upgraded before"""
    lead_days: int = 0
    """so long before its retirement, deployments that wait for that are upgraded"""


class Lifecycle(msgspec.Struct, frozen=True, omit_defaults=True):
    """The dates of a model version; none of them means that it never ends."""

    stage: Stage = "GenerallyAvailable"
    deprecated_at: datetime | None = None
    """from then on it can't be newly deployed; what is deployed goes on"""
    retired_at: datetime | None = None
    """from then on it answers 410"""
    default_since: datetime | None = None
    """of the versions of a model, the one that became it last is the default"""
    replacement: Replacement | None = None

    def deprecated(self, now: datetime) -> bool:
        """It can't be newly deployed."""
        return self.retired(now) or (self.deprecated_at is not None and self.deprecated_at <= now)

    def retired(self, now: datetime) -> bool:
        """It answers no more."""
        return self.retired_at is not None and self.retired_at <= now

    def status(self, now: datetime) -> LifecycleStatus:
        """ARM's word."""
        if self.retired(now):
            return "Deprecated"
        return "Deprecating" if self.deprecated(now) else self.stage

    def moments(self) -> list[datetime]:
        """When it changes by itself."""
        told = [self.deprecated_at, self.retired_at]
        if self.replacement is not None:
            told.append(self.replacement.upgrade_from)
            if self.retired_at is not None:
                told.append(self.retired_at - timedelta(days=self.replacement.lead_days))
        return [each for each in told if each is not None]


ENDLESS = Lifecycle()


def order_of(version: str) -> tuple[tuple[int, ...], str]:
    """Sorts versions by the numbers in them: `9` before `10`, `0613` before `turbo-2024-04-09`."""
    return tuple(int(each) for each in _NUMBERS.findall(version)), version


def in_utc(moment: datetime) -> datetime:
    """A moment that names no zone is meant in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
