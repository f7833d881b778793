"""What an account may say about logging content. Pure but for `gather`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from linarite.controlplane.stocktaking import account_of
from linarite.domain.arm_errors import Problem
from linarite.domain.content_log import DEFAULT, KEPT_DAYS

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

NAME = DEFAULT


class SentLogging(msgspec.Struct, rename="camel"):
    """What may be set."""

    state: Literal["Enabled", "Disabled"] | None = None
    retention_days: Annotated[int, Meta(ge=1)] | None = None


class LoggingFacts(msgspec.Struct, frozen=True):
    """What is known when it is admitted."""

    allowed: bool
    days_max: int


async def gather(surface: Surface, target: Target) -> LoggingFacts:
    """What settings allow; the account must be there. Raises ArmError 404."""
    await account_of(surface, target)
    return LoggingFacts(surface.content_log.allowed, surface.content_log.days_max)


def complete(new: Resource, old: Resource | None, facts: LoggingFacts) -> Resource:
    """Off unless it is said, and for a month at most."""
    del old
    defaults = {"state": "Disabled", "retentionDays": min(KEPT_DAYS, facts.days_max)}
    said = {name: value for name, value in new.properties.items() if value is not None}
    return msgspec.structs.replace(
        new, properties={**defaults, **said, "provisioningState": "Succeeded"}
    )


def admit(new: Resource, old: Resource | None, facts: LoggingFacts) -> list[Problem]:
    """Everything that is wrong with it."""
    del old
    problems: list[Problem] = []
    if new.properties["state"] == "Enabled" and not facts.allowed:
        problems.append(
            Problem(
                "ContentLoggingNotAllowed",
                "This server keeps no prompts and completions: content_log.allowed is false in "
                "its settings.",
                "properties.state",
                403,
            )
        )
    if new.properties["retentionDays"] > facts.days_max:
        problems.append(
            Problem(
                "InvalidRetention",
                f"retentionDays is at most {facts.days_max} here: content_log.retention_days_max "
                "of the settings says so.",
                "properties.retentionDays",
            )
        )
    return problems
