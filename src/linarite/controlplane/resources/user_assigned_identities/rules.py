"""Identities that stand on their own, for any resource to have.

Source: the specification of Microsoft.ManagedIdentity, 2024-11-30.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from linarite.controlplane.problems import location_key, location_problems, moved_problems
from linarite.controlplane.surface import Realm
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id
from linarite.domain.directory import FEDERATED_TYPE, IDENTITY_TYPE
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Showing, Surface

NAME = r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}"
CREDENTIAL_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,119}"
CREDENTIALS_MAX = 20
SET_BY_SERVER = frozenset(("principalId", "clientId", "tenantId"))


class IdentityFacts(msgspec.Struct, frozen=True):
    """What is known when an identity is admitted."""

    realm: Realm


class SentCredential(msgspec.Struct, rename="camel"):
    """What may be set of a federated credential."""

    issuer: Annotated[str, Meta(min_length=1, max_length=600)] | None = None
    subject: Annotated[str, Meta(min_length=1, max_length=600)] | None = None
    audiences: Annotated[list[str], Meta(max_length=10)] | None = None


class CredentialFacts(msgspec.Struct, frozen=True):
    """What is known when a federated credential is admitted."""

    others: list[Resource]


async def gather(surface: Surface, target: Target) -> IdentityFacts:
    """The regions there are."""
    del target
    return IdentityFacts(surface.realm)


def complete(new: Resource, old: Resource | None, facts: IdentityFacts) -> Resource:
    """Its region, as this server writes it."""
    del old, facts
    return msgspec.structs.replace(new, location=location_key(new.location or "") or None)


def admit(new: Resource, old: Resource | None, facts: IdentityFacts) -> list[Problem]:
    """It lies in a region that there is, and stays there."""
    return [
        *location_problems(new.location, facts.realm, IDENTITY_TYPE),
        *(moved_problems(old.location, new.location, new.name) if old else []),
    ]


def show(identity: Resource, showing: Showing) -> dict[str, Any]:
    """The ids under which it signs in and is given roles."""
    entry = showing.directory.managed_identity(identity.id) if showing.directory else None
    if entry is None:
        return identity.properties
    return {
        **identity.properties,
        "principalId": entry.object_id,
        "clientId": entry.app_id,
        "tenantId": showing.tenant,
    }


async def gather_credential(surface: Surface, target: Target) -> CredentialFacts:
    """The identity's other credentials."""
    beside = await surface.resources.list_under(parent_id(target.path), FEDERATED_TYPE)
    return CredentialFacts([each for each in beside if each.id.lower() != target.path.lower()])


def admit_credential(new: Resource, old: Resource | None, facts: CredentialFacts) -> list[Problem]:
    """All three are given, and no other credential means the same tokens."""
    problems = [
        Problem(
            "BadRequest", f"The federated credential needs properties.{name}.", f"properties.{name}"
        )
        for name in ("issuer", "subject", "audiences")
        if not new.properties.get(name)
    ]
    if old is None and len(facts.others) >= CREDENTIALS_MAX:
        problems.append(
            Problem("QuotaLimitReached", f"An identity has at most {CREDENTIALS_MAX} of them.")
        )
    for each in facts.others:
        if all(each.properties.get(it) == new.properties.get(it) for it in ("issuer", "subject")):
            said = f"'{each.name}' has the same issuer and subject."
            problems.append(Problem("Conflict", said, "properties.subject"))
    return problems
