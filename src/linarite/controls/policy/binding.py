"""Which policies apply where: assignments joined with what they assign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controls.policy.definitions import Assignment, Definition, Exemption, SetDefinition
from linarite.controls.policy.evaluation import Evaluation, EvaluationFailed, World
from linarite.controls.policy.parameters import filled
from linarite.domain.scopes import holds, scope_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linarite.controls.policy.definitions import Selector
    from linarite.controls.policy.expressions import Expressions

NOWHERE = World(subscription={}, resource_group=None, request={}, now="")
"""the parameters of an initiative are asked without a resource"""


class Bound(msgspec.Struct, frozen=True):
    """One definition as one assignment applies it."""

    assignment: Assignment
    definition: Definition
    parameters: dict[str, Any]
    """by lower-cased name"""
    initiative: SetDefinition | None = None
    reference: str = ""
    """within the initiative"""
    groups: tuple[str, ...] = ()

    @property
    def policy(self) -> dict[str, Any]:
        """What `policy()` answers in its rule."""
        return {
            "assignmentId": self.assignment.resource.id,
            "definitionId": self.definition.resource.id,
            "setDefinitionId": self.initiative.resource.id if self.initiative else "",
            "definitionReferenceId": self.reference,
        }

    @property
    def message(self) -> str:
        """Why a request is refused, in the words of whoever assigned it; "" for none."""
        messages = dict(self.assignment.messages)
        return messages.get(self.reference.lower()) or messages.get("", "")


def bind(
    assignment: Assignment,
    definitions: Mapping[str, Definition],
    sets: Mapping[str, SetDefinition],
    expressions: Expressions,
) -> tuple[Bound, ...]:
    """Every definition that an assignment applies; what is gone applies nothing."""
    key = scope_key(assignment.definition_id)
    if (definition := definitions.get(key)) is not None:
        return (Bound(assignment, definition, filled(definition.declared, assignment.parameters)),)
    initiative = sets.get(key)
    if initiative is None:
        return ()
    outer = filled(initiative.declared, assignment.parameters)
    return tuple(_members(assignment, initiative, outer, definitions, expressions))


def _members(
    assignment: Assignment,
    initiative: SetDefinition,
    outer: Mapping[str, Any],
    definitions: Mapping[str, Definition],
    expressions: Expressions,
) -> Iterator[Bound]:
    for member in initiative.members:
        definition = definitions.get(scope_key(member.definition_id))
        if definition is None:
            continue
        asked = Evaluation(expressions, {}, NOWHERE, outer)
        given: dict[str, Any] = {}
        for name, source in member.parameters.items():
            try:
                given[name] = asked.resolved(source)
            except EvaluationFailed:
                continue  # it keeps its default; without one, its rule fails where it is asked
        yield Bound(
            assignment,
            definition,
            filled(definition.declared, given),
            initiative,
            member.reference,
            member.groups,
        )


def reaches(bound: Bound, resource_id: str, resource_type: str, location: str | None) -> bool:
    """Whether an assignment counts for a resource."""
    assignment, key = bound.assignment, scope_key(resource_id)
    if not holds(assignment.scope, key):
        return False
    if any(holds(outside, key) for outside in assignment.not_scopes):
        return False
    if not assignment.selectors:
        return True
    return any(
        all(_fits(each, resource_type, location) for each in group)
        for group in assignment.selectors
    )


def _fits(selector: Selector, resource_type: str, location: str | None) -> bool:
    if selector.kind == "resourcetype":
        return selector.fits(resource_type)
    if selector.kind == "resourcewithoutlocation":
        return location is None
    return location is not None and selector.fits(location)


def overridden(bound: Bound, location: str | None) -> str | None:
    """The effect that the assignment puts in the definition's place."""
    for override in bound.assignment.overrides:
        fitting = [
            each.fits(bound.reference)
            if each.kind == "policydefinitionreferenceid"
            else location is not None and each.fits(location)
            for each in override.selectors
        ]
        if all(fitting):
            return override.effect
    return None


def exempting(exemption: Exemption, bound: Bound, resource_id: str, now: str) -> bool:
    """Whether an exemption frees a resource of a policy at a time."""
    return (
        exemption.assignment == scope_key(bound.assignment.resource.id)
        and holds(exemption.scope, scope_key(resource_id))
        and (not exemption.references or bound.reference.lower() in exemption.references)
        and (not exemption.expires or exemption.expires > now)
    )
