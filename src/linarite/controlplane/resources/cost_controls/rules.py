"""Budgets in money, by what is asked for and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from linarite.controlplane.problems import missing_problems

if TYPE_CHECKING:
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Resource

TYPE = "Microsoft.CognitiveServices/accounts/costControls"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"


class Dimension(msgspec.Struct):
    """What is counted apart."""

    type: Literal["Agent", "Identity", "Session", "Project", "Account", "Custom"]
    attribute: str | None = None


class Match(msgspec.Struct, rename="camel"):
    """Whose requests are counted."""

    agent_resource_ids: list[str] | None = None
    identity_object_ids: list[str] | None = None
    session_ids: list[str] | None = None
    project_ids: list[str] | None = None


class Threshold(msgspec.Struct):
    """What happens when how much is spent."""

    type: Literal["Percentage", "Absolute"]
    value: Annotated[float, Meta(ge=0)]
    action: Literal["Audit", "Alert", "Block"]


class Rule(msgspec.Struct, rename="camel"):
    """One budget."""

    name: str
    counter_key: Dimension
    unit: Literal["Usd"]
    amount: Annotated[float, Meta(ge=0)]
    period: Literal["Minute", "Hour", "Day", "Week", "Month", "Year"] | None = None
    recurring: bool | None = None
    match: Match | None = None
    thresholds: list[Threshold] | None = None


class SentControl(msgspec.Struct, rename="camel"):
    """What may be set."""

    display_name: str | None = None
    rules: list[Rule] | None = None


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """A control has rules."""
    del old, facts
    return missing_problems(new.properties, "rules")
