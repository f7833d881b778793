"""What an initiative may be. Source: "Azure Policy initiative definition structure"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.policy.admission import (
    EXPRESSIONS,
    outside_scope,
    versioned,
)
from linarite.controls.policy.built_in import BUILT_IN_SETS
from linarite.controls.policy.definitions import Definition, read_set
from linarite.controls.policy.parameters import given_problems
from linarite.domain.arm_errors import Problem
from linarite.domain.scopes import scope_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.controls.policy.definitions import Member
    from linarite.domain.resource import Resource


class SentMember(msgspec.Struct, rename="camel"):
    """A definition within an initiative."""

    policy_definition_id: str | None = None
    policy_definition_reference_id: str | None = None
    parameters: dict[str, dict[str, Any]] | None = None
    group_names: list[str] | None = None


class SentSet(msgspec.Struct, rename="camel"):
    """What a client may say of an initiative."""

    display_name: str | None = None
    description: str | None = None
    policy_definitions: list[SentMember] | None = None
    policy_definition_groups: list[dict[str, Any]] | None = None
    parameters: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    version: str | None = None


async def gather(surface: Surface, target: Target) -> Mapping[str, Definition]:
    """Every definition there is."""
    del target
    return surface.policies.definitions


def built_in(parent: str) -> tuple[Resource, ...]:
    """The initiatives that every server has; they lie in no scope."""
    return () if parent else BUILT_IN_SETS


def complete(new: Resource, old: Resource | None, facts: object) -> Resource:
    """The version, and a reference id for members that have none."""
    del old, facts
    properties = versioned(new.properties)
    initiative, problems = read_set(msgspec.structs.replace(new, properties=properties))
    if not problems:
        properties["policyDefinitions"] = [
            sent | {"policyDefinitionReferenceId": member.reference}
            for sent, member in zip(
                properties["policyDefinitions"], initiative.members, strict=True
            )
        ]
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: Mapping[str, Definition]) -> list[Problem]:
    """Everything that is wrong with it and with what it gives its members."""
    del old
    if problems := outside_scope(new):
        return problems
    initiative, problems = read_set(new)
    for at, member in enumerate(initiative.members):
        problems += _member_problems(member, facts, at)
    return problems


def _member_problems(member: Member, known: Mapping[str, Definition], at: int) -> list[Problem]:
    place = f"properties.policyDefinitions[{at}]"
    definition = known.get(scope_key(member.definition_id))
    if definition is None:
        return [
            Problem(
                "PolicyDefinitionNotFound",
                f"The policy definition '{member.definition_id[:300]}' could not be found.",
                f"{place}.policyDefinitionId",
                404,
            )
        ]
    given = {
        name: value
        for name, value in member.parameters.items()
        if not (isinstance(value, str) and EXPRESSIONS.is_expression(value))
    }
    computed = {name for name in member.parameters if name not in given}
    unknown = [name for name in computed if name not in definition.declared]
    declared = {
        name: parameter for name, parameter in definition.declared.items() if name not in computed
    }
    told = f"definition '{definition.resource.name}' of member '{member.reference}'"
    return given_problems(declared, given | dict.fromkeys(unknown), told)
