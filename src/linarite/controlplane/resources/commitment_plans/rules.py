"""Commitment plans, of an account or of their own, and which accounts use the latter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from linarite.controlplane.problems import location_problems, missing_problems, moved_problems
from linarite.controlplane.surface import Realm
from linarite.domain.arm_errors import Problem
from linarite.domain.resource import ACCOUNT_TYPE, Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface

TYPE = "Microsoft.CognitiveServices/commitmentPlans"
OF_ACCOUNT = "Microsoft.CognitiveServices/accounts/commitmentPlans"
ASSOCIATION = f"{TYPE}/accountAssociations"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"
READ_ONLY = frozenset(("provisioningState", "last", "provisioningIssues"))


class Period(msgspec.Struct):
    """What is committed to for a while."""

    tier: str | None = None
    count: Annotated[int, Meta(ge=0)] | None = None


class SentPlan(msgspec.Struct, rename="camel"):
    """What may be set of a plan."""

    plan_type: str | None = None
    hosting_model: (
        Literal["Web", "ConnectedContainer", "DisconnectedContainer", "ProvisionedWeb"] | None
    ) = None
    commitment_plan_guid: str | None = None
    current: Period | None = None
    next: Period | None = None
    auto_renew: bool | None = None


class SentAssociation(msgspec.Struct, rename="camel"):
    """What may be set of an association."""

    account_id: str | None = None


class PlanFacts(msgspec.Struct, frozen=True):
    """What is known when a plan is admitted."""

    realm: Realm


class AssociationFacts(msgspec.Struct, frozen=True):
    """What is known when an association is admitted."""

    accounts: frozenset[str]
    """lower-cased ids"""


async def gather(surface: Surface, target: Target) -> PlanFacts:
    """The regions there are."""
    del target
    return PlanFacts(surface.realm)


async def gather_association(surface: Surface, target: Target) -> AssociationFacts:
    """The accounts there are."""
    del target
    accounts = await surface.resources.list_under("", ACCOUNT_TYPE)
    return AssociationFacts(frozenset(each.id.lower() for each in accounts))


def complete(new: Resource, old: Resource | None, facts: PlanFacts) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    return msgspec.structs.replace(
        new,
        properties={"autoRenew": False, **new.properties, "provisioningState": "Succeeded"},
    )


def admit(new: Resource, old: Resource | None, facts: PlanFacts) -> list[Problem]:
    """A plan of its own lies in a region and stays there."""
    if new.type != TYPE:
        return []
    if old is not None:
        return moved_problems(old.location, new.location, new.name)
    return location_problems(new.location, facts.realm, TYPE)


def admit_association(
    new: Resource, old: Resource | None, facts: AssociationFacts
) -> list[Problem]:
    """It names an account that is there."""
    del old
    if missing := missing_problems(new.properties, "accountId"):
        return missing
    account = str(new.properties["accountId"])
    if account.lower().rstrip("/") in facts.accounts:
        return []
    target = "properties.accountId"
    return [Problem("AccountNotFound", f"There is no account '{account[:300]}'.", target)]
