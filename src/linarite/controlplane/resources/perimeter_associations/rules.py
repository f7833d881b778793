"""Which resource is in a perimeter, by which profile, and whether the perimeter is enforced.

Source: the specification of Microsoft.Network, 2024-07-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.references import Reference
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id, same_id
from linarite.domain.perimeter import ASSOCIATION_TYPE, PROFILE_TYPE, AccessMode, reference
from linarite.domain.resource import ACCOUNT_TYPE, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface

READ_ONLY = frozenset(("provisioningState", "hasProvisioningIssues"))
JOIN = f"{ACCOUNT_TYPE}/joinPerimeter/action"


class SentAssociation(msgspec.Struct, rename="camel"):
    """What may be set."""

    private_link_resource: Reference | None = None
    profile: Reference | None = None
    access_mode: AccessMode | None = None


class AssociationFacts(msgspec.Struct, frozen=True):
    """What is known when an association is admitted."""

    accounts: frozenset[str]
    """the ids of those there are, in lower case"""
    profiles: frozenset[str]
    """the ids of the perimeter's, in lower case"""
    others: tuple[Resource, ...]
    """every other association"""


async def gather(surface: Surface, target: Target) -> AssociationFacts:
    """What it may refer to, and what is associated already."""
    perimeter = parent_id(target.path)
    accounts = await surface.resources.list_under("", ACCOUNT_TYPE)
    profiles = await surface.resources.list_under(perimeter, PROFILE_TYPE)
    others = await surface.resources.list_under("", ASSOCIATION_TYPE)
    return AssociationFacts(
        accounts=frozenset(each.id.lower() for each in accounts),
        profiles=frozenset(each.id.lower() for each in profiles),
        others=tuple(each for each in others if not same_id(each.id, target.path)),
    )


def complete(new: Resource, old: Resource | None, facts: AssociationFacts) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    properties = {
        **new.properties,
        "accessMode": new.properties.get("accessMode") or "Learning",
        "hasProvisioningIssues": "no",
        "provisioningState": "Succeeded",
    }
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: AssociationFacts) -> list[Problem]:
    """Every problem of the association as it would be."""
    account, profile = reference(new, "privateLinkResource"), reference(new, "profile")
    found: list[Problem] = []
    if account.lower() not in facts.accounts:
        found.append(
            Problem(
                "NspResourceNotFound",
                f"There is no account '{account[:200]}'; a perimeter is put around accounts "
                f"({ACCOUNT_TYPE}).",
                "properties.privateLinkResource.id",
            )
        )
    if profile.lower() not in facts.profiles:
        found.append(
            Problem(
                "NspProfileNotFound",
                f"The perimeter has no profile '{profile[:200]}'. Make it first.",
                "properties.profile.id",
            )
        )
    if old is not None and not same_id(reference(old, "privateLinkResource"), account):
        found.append(
            Problem(
                "NspAssociationResourceCannotBeChanged",
                f"The resource of the association '{new.name}' can't be changed; make another.",
                "properties.privateLinkResource.id",
            )
        )
    found += [
        Problem(
            "NspResourceAlreadyAssociated",
            f"The account is in a perimeter already, by the association '{each.id}'. It can be in "
            "one alone.",
            "properties.privateLinkResource.id",
            409,
        )
        for each in facts.others
        if same_id(reference(each, "privateLinkResource"), account)
    ]
    return found


def linked(new: Resource | None, old: Resource | None) -> Sequence[tuple[str, str]]:
    """Who puts an account into a perimeter, or takes it out, must be allowed to by the account.

    Whoever owns a perimeter could otherwise open accounts that are not his.
    """
    of = {reference(each, "privateLinkResource") for each in (new, old) if each is not None}
    return [(JOIN, account) for account in sorted(of) if account]
