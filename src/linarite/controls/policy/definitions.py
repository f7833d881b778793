"""Definitions, initiatives, assignments and exemptions: from resources to what is decided over.

Each `read_…` returns what was read and everything that is wrong with it; the control plane admits
by the same functions, so that what is stored can be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controls.policy.effects import EFFECTS, EffectReader, Then
from linarite.controls.policy.parameters import Declared, read_parameters
from linarite.controls.policy.problems import invalid_rule
from linarite.controls.policy.reading import RuleReader, RuleUnfit
from linarite.controls.policy.tree import AllOf, Node
from linarite.domain.arm_errors import Problem
from linarite.domain.resource import Resource
from linarite.domain.scopes import scope_key, scope_of

if TYPE_CHECKING:
    from linarite.controls.policy.expressions import Expressions

DEFINITION_TYPE = "Microsoft.Authorization/policyDefinitions"
SET_TYPE = "Microsoft.Authorization/policySetDefinitions"
ASSIGNMENT_TYPE = "Microsoft.Authorization/policyAssignments"
EXEMPTION_TYPE = "Microsoft.Authorization/policyExemptions"
DATA_MODE = "Microsoft.CognitiveServices.Data"
MODES = {"all": "All", "indexed": "Indexed", DATA_MODE.lower(): DATA_MODE}
PARAMETERS_MAX = 20
SET_PARAMETERS_MAX = 400
MEMBERS_MAX = 1000
SELECTORS = ("resourcelocation", "resourcetype", "resourcewithoutlocation")
OVERRIDE_SELECTORS = ("policydefinitionreferenceid", "resourcelocation")


class Definition(msgspec.Struct, frozen=True):
    """A policy definition."""

    resource: Resource
    mode: str
    declared: Declared
    condition: Node
    then: Then


class Member(msgspec.Struct, frozen=True):
    """A definition within an initiative."""

    reference: str
    definition_id: str
    parameters: dict[str, Any]
    """by lower-cased name; their expressions read the initiative's parameters"""
    groups: tuple[str, ...] = ()


class SetDefinition(msgspec.Struct, frozen=True):
    """An initiative."""

    resource: Resource
    declared: Declared
    members: tuple[Member, ...]


class Selector(msgspec.Struct, frozen=True):
    """One thing that must be among some values, or must not."""

    kind: str
    among: frozenset[str] | None = None
    """in lower case; None where `outside` says it"""
    outside: frozenset[str] = frozenset()

    def fits(self, value: str) -> bool:
        """Whether a value passes."""
        lowered = value.lower()
        return (self.among is None or lowered in self.among) and lowered not in self.outside


class Override(msgspec.Struct, frozen=True):
    """Another effect for some of an assignment's definitions."""

    effect: str
    selectors: tuple[Selector, ...]


class Assignment(msgspec.Struct, frozen=True):
    """An assignment of a definition or of an initiative."""

    resource: Resource
    scope: str
    """as `scope_key` makes it"""
    definition_id: str
    parameters: dict[str, Any]
    """by lower-cased name"""
    not_scopes: tuple[str, ...]
    enforced: bool
    messages: tuple[tuple[str, str], ...]
    """reference id in an initiative, or "" → why a request is refused"""
    selectors: tuple[tuple[Selector, ...], ...]
    overrides: tuple[Override, ...]


class Exemption(msgspec.Struct, frozen=True):
    """An exemption from an assignment."""

    resource: Resource
    scope: str
    assignment: str
    """its id, as `scope_key` makes it"""
    references: frozenset[str]
    """lower-cased reference ids; empty for all"""
    expires: str
    """ISO 8601; "" never"""


def read_definition(
    resource: Resource, expressions: Expressions
) -> tuple[Definition, list[Problem]]:
    """A policy definition, and what is wrong with it."""
    given = resource.properties
    mode = MODES.get(str(given.get("mode") or "Indexed").lower())
    problems: list[Problem] = []
    if mode is None:
        problems.append(
            Problem(
                "InvalidPolicyDefinitionMode",
                f"The policy definition mode '{str(given.get('mode'))[:60]}' is not supported. The "
                f"modes are {', '.join(MODES.values())}.",
                "properties.mode",
            )
        )
    declared, found = read_parameters(given.get("parameters"), PARAMETERS_MAX)
    rule = given.get("policyRule")
    reader = RuleReader(expressions, declared.keys())
    condition, then = _rule(rule, reader, EffectReader(reader, expressions, declared))
    read = Definition(resource, mode or "All", declared, condition, then)
    return read, [*problems, *found, *reader.problems]


def _rule(rule: Any, reader: RuleReader, effects: EffectReader) -> tuple[Node, Then]:  # noqa: ANN401 - any JSON
    if not isinstance(rule, dict):
        reader.problems.append(
            invalid_rule("a policy rule is an object with 'if' and 'then'", "policyRule")
        )
        return AllOf(()), Then("disabled")
    given = {name.lower(): inner for name, inner in cast("dict[str, Any]", rule).items()}
    for word in ("if", "then"):
        if not isinstance(given.get(word), dict):
            reader.problems.append(
                invalid_rule(f"'{word}' must be an object", f"policyRule.{word}")
            )
    for word in given.keys() - {"if", "then"}:
        reader.problems.append(
            invalid_rule(f"'{word[:40]}' is neither 'if' nor 'then'", "policyRule")
        )
    if reader.problems:
        return AllOf(()), Then("disabled")
    try:
        condition = reader.node(given["if"], "policyRule.if")
        return condition, effects.then(given["then"], "policyRule.then")
    except RuleUnfit as unfit:
        reader.problems.append(unfit.problem)
        return AllOf(()), Then("disabled")


def read_set(resource: Resource) -> tuple[SetDefinition, list[Problem]]:
    """An initiative, and what is wrong with it but for what its members are."""
    declared, problems = read_parameters(resource.properties.get("parameters"), SET_PARAMETERS_MAX)
    sent = resource.properties.get("policyDefinitions")
    place = "properties.policyDefinitions"
    if not isinstance(sent, list) or not 0 < len(cast("list[Any]", sent)) <= MEMBERS_MAX:
        problems.append(
            _wrong(
                "InvalidPolicySetDefinition",
                f"An initiative has 1 to {MEMBERS_MAX} policy definitions.",
                place,
            )
        )
        return SetDefinition(resource, declared, ()), problems
    members: list[Member] = []
    references: set[str] = set()
    for at, each in enumerate(cast("list[dict[str, Any]]", sent)):
        member = _member(each, at)
        if not member.definition_id or member.reference.lower() in references:
            problems.append(
                _wrong(
                    "InvalidPolicySetDefinition",
                    "Each member of an initiative names a 'policyDefinitionId', and a "
                    "'policyDefinitionReferenceId' that no other has.",
                    f"{place}[{at}]",
                )
            )
        references.add(member.reference.lower())
        members.append(member)
    return SetDefinition(resource, declared, tuple(members)), problems


def _member(sent: dict[str, Any], at: int) -> Member:
    definition_id = str(sent.get("policyDefinitionId") or "")
    name = definition_id.rstrip("/").rpartition("/")[2]
    return Member(
        reference=str(sent.get("policyDefinitionReferenceId") or f"{name}_{at + 1}"),
        definition_id=definition_id,
        parameters=given_values(sent.get("parameters")),
        groups=tuple(str(each) for each in sent.get("groupNames") or ()),
    )


def read_assignment(resource: Resource) -> tuple[Assignment, list[Problem]]:
    """An assignment, and what is wrong with it but for what it assigns."""
    given = resource.properties
    problems: list[Problem] = []
    selectors = [
        _selectors(
            each.get("selectors"), SELECTORS, f"properties.resourceSelectors[{at}]", problems
        )
        for at, each in enumerate(given.get("resourceSelectors") or ())
    ]
    overrides: list[Override] = []
    for at, each in enumerate(given.get("overrides") or ()):
        place = f"properties.overrides[{at}]"
        effect = EFFECTS.get(str(each.get("value") or "").lower())
        if str(each.get("kind") or "").lower() != "policyeffect" or effect is None:
            problems.append(
                _wrong(
                    "InvalidPolicyAssignmentOverride",
                    "An override has the kind 'policyEffect' and an effect as its value: "
                    f"{', '.join(EFFECTS.values())}.",
                    place,
                )
            )
            continue
        read = _selectors(each.get("selectors"), OVERRIDE_SELECTORS, place, problems)
        overrides.append(Override(effect, read))
    mode = str(given.get("enforcementMode") or "Default").lower()
    read = Assignment(
        resource=resource,
        scope=scope_key(scope_of(resource.id)),
        definition_id=str(given.get("policyDefinitionId") or ""),
        parameters=given_values(given.get("parameters")),
        not_scopes=tuple(scope_key(each) for each in given.get("notScopes") or ()),
        enforced=mode == "default",
        messages=tuple(
            (str(each.get("policyDefinitionReferenceId") or "").lower(), str(each.get("message")))
            for each in given.get("nonComplianceMessages") or ()
        ),
        selectors=tuple(selectors),
        overrides=tuple(overrides),
    )
    return read, problems


def _selectors(
    sent: Any,  # noqa: ANN401 - JSON
    kinds: tuple[str, ...],
    place: str,
    problems: list[Problem],
) -> tuple[Selector, ...]:
    read: list[Selector] = []
    for at, each in enumerate(cast("list[dict[str, Any]]", sent or [])):
        kind = str(each.get("kind") or "").lower()
        if kind not in kinds or (each.get("in") is None) == (each.get("notIn") is None):
            problems.append(
                _wrong(
                    "InvalidPolicyAssignmentSelector",
                    f"A selector has one of the kinds {', '.join(kinds)} and either 'in' or "
                    "'notIn'.",
                    f"{place}.selectors[{at}]",
                )
            )
            continue
        read.append(
            Selector(
                kind,
                None if each.get("in") is None else _words(each["in"]),
                _words(each.get("notIn") or ()),
            )
        )
    return tuple(read)


def _words(sent: list[Any] | tuple[()]) -> frozenset[str]:
    return frozenset(str(each).lower() for each in sent)


def read_exemption(resource: Resource) -> Exemption:
    """An exemption."""
    given = resource.properties
    return Exemption(
        resource=resource,
        scope=scope_key(scope_of(resource.id)),
        assignment=scope_key(str(given.get("policyAssignmentId") or "")),
        references=frozenset(
            str(each).lower() for each in given.get("policyDefinitionReferenceIds") or ()
        ),
        expires=str(given.get("expiresOn") or ""),
    )


def given_values(sent: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """`{"name": {"value": …}}` as lower-cased name → value."""
    if not isinstance(sent, dict):
        return {}
    return {
        name.lower(): cast("dict[str, Any]", told).get("value")
        for name, told in cast("dict[str, Any]", sent).items()
        if isinstance(told, dict)
    }


def _wrong(code: str, message: str, place: str) -> Problem:
    return Problem(code, message, place)
