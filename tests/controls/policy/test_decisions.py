"""What policies come to: changes, refusals, audits, compliance."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from linarite.controls.policy.binding import bind
from linarite.controls.policy.built_in import BUILT_IN, BUILT_IN_SETS
from linarite.controls.policy.compliance import Survey
from linarite.controls.policy.decisions import Court, Policies, Subject, Verdict
from linarite.controls.policy.definitions import (
    ASSIGNMENT_TYPE,
    EXEMPTION_TYPE,
    Assignment,
    Definition,
    Exemption,
    read_assignment,
    read_definition,
    read_exemption,
    read_set,
)
from linarite.domain.resource import Resource
from linarite.domain.scopes import scope_key
from tests.controls.policy.rules import ACCOUNT, ACCOUNTS, EXPRESSIONS, GROUP, WORLD, read

ROLE = "/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"
IS_ACCOUNT = {"field": "type", "equals": ACCOUNTS}
CHILD_TYPE = f"{ACCOUNTS}/deployments"


def subject(**changes: Any) -> Subject:  # noqa: ANN401 - JSON
    """The account, with changes at its top."""
    content = deepcopy(ACCOUNT) | changes
    return Subject(content["id"], content["type"], indexed=True, content=content)


def assigned(
    definition: Definition,
    name: str = "a",
    scope: str = GROUP,
    **properties: Any,  # noqa: ANN401 - JSON
) -> tuple[Assignment, Definition]:
    """An assignment of a definition."""
    told = {"policyDefinitionId": definition.resource.id} | properties
    path = f"{scope}/providers/{ASSIGNMENT_TYPE}/{name}"
    assignment, problems = read_assignment(Resource(path, ASSIGNMENT_TYPE, name, told))
    assert not problems
    return assignment, definition


def policies(
    *pairs: tuple[Assignment, Definition], exemptions: tuple[Exemption, ...] = ()
) -> Policies:
    """What is assigned."""
    bound = [
        each
        for assignment, definition in pairs
        for each in bind(
            assignment, {scope_key(definition.resource.id): definition}, {}, EXPRESSIONS
        )
    ]
    return Policies(tuple(bound), exemptions)


def ruled(then: dict[str, Any], condition: Any = None) -> Definition:  # noqa: ANN401 - JSON
    """A definition with an effect; by default it looks at accounts."""
    definition, problems = read(condition or IS_ACCOUNT, then)
    assert not problems, problems
    return definition


def modifying(*operations: dict[str, Any], conflict: str = "deny") -> Definition:
    """A definition that modifies accounts."""
    details = {"roleDefinitionIds": [ROLE], "conflictEffect": conflict, "operations": [*operations]}
    return ruled({"effect": "modify", "details": details})


def setting(
    field: str,
    value: Any,  # noqa: ANN401 - JSON
    operation: str = "addOrReplace",
    **more: str,
) -> dict[str, Any]:
    """One operation."""
    return {"operation": operation, "field": field, "value": value} | more


def written(*pairs: tuple[Assignment, Definition], of: Subject | None = None) -> Verdict:
    """What they say to a write of the account."""
    return Court(policies(*pairs), EXPRESSIONS).on_write(of or subject(), WORLD)


KEYS = f"{ACCOUNTS}/disableLocalAuth"
FQDNS = f"{ACCOUNTS}/allowedFqdnList"


@pytest.mark.parametrize(
    ("operation", "path", "after"),
    [
        (setting(KEYS, value=True), ("properties", "disableLocalAuth"), True),
        (setting(KEYS, value=True, operation="add"), ("properties", "disableLocalAuth"), False),
        (setting("tags['env']", "[resourceGroup().tags.env]"), ("tags", "env"), "prod"),
        (setting("tags['TEAM']", "Red"), ("tags", "Team"), "Red"),
        ({"operation": "remove", "field": "tags['team']"}, ("tags", "Team"), None),
        (
            setting(f"{FQDNS}[*]", "a.example", operation="add"),
            ("properties", "allowedFqdnList"),
            ["a.example"],
        ),
        (
            setting(f"{ACCOUNTS}/networkAcls.defaultAction", "Deny"),
            ("properties", "networkAcls", "defaultAction"),
            "Deny",
        ),
        (
            setting(KEYS, value=True, condition="[less(requestContext().apiVersion, '2020')]"),
            ("properties", "disableLocalAuth"),
            False,
        ),
    ],
    ids=str,
)
def test_modify_changes_what_is_written(
    operation: dict[str, Any], path: tuple[str, ...], after: object
) -> None:
    """Each operation as Azure describes it; the original stays as it was."""
    before = subject()
    verdict = written(assigned(modifying(operation)), of=before)
    found: Any = verdict.content
    for part in path:
        found = found.get(part)
    assert found == after
    assert before.content == ACCOUNT
    assert bool(verdict.modified) == (verdict.content != ACCOUNT)


def test_deny_sees_what_modify_has_made() -> None:
    """A change that makes a resource right keeps it from being refused."""
    strict = ruled({"effect": "deny"}, {"allOf": [IS_ACCOUNT, {"field": KEYS, "notEquals": True}]})
    helping = modifying(setting(KEYS, value=True))
    assert len(written(assigned(strict)).denied) == 1
    assert not written(assigned(strict), assigned(helping, "b")).denied


@pytest.mark.parametrize(
    ("first", "second", "refused", "value"),
    [
        ("deny", "deny", True, None),
        ("deny", "audit", False, "Enabled"),
        ("audit", "audit", False, None),
    ],
)
def test_conflicts_of_modify(first: str, second: str, refused: bool, value: str | None) -> None:
    """One strict definition wins; two refuse; none changes nothing."""
    field = f"{ACCOUNTS}/publicNetworkAccess"
    verdict = written(
        assigned(modifying(setting(field, "Enabled"), conflict=first)),
        assigned(modifying(setting(field, "Disabled"), conflict=second), "b"),
    )
    assert bool(verdict.denied) == refused
    assert verdict.content["properties"].get("publicNetworkAccess") == value


def test_append_adds_and_never_replaces() -> None:
    """Another value in the request refuses it."""
    adding = {"effect": "append", "details": [{"field": f"{FQDNS}[*]", "value": ["a", "b"]}]}
    assert written(assigned(ruled(adding))).content["properties"]["allowedFqdnList"] == ["a", "b"]
    fighting = {"effect": "append", "details": [{"field": KEYS, "value": True}]}
    assert len(written(assigned(ruled(fighting))).denied) == 1


def test_what_has_no_answer_refuses_but_never_when_it_audits() -> None:
    """A failed evaluation is an implicit deny."""
    broken = {"allOf": [IS_ACCOUNT, {"value": "[field('tags').none]", "equals": 1}]}
    assert written(assigned(ruled({"effect": "deny"}, broken))).denied[0].failed
    assert not written(assigned(ruled({"effect": "audit"}, broken))).denied


DENYING = {"effect": "deny"}


@pytest.mark.parametrize(
    "properties",
    [
        {"enforcementMode": "DoNotEnforce"},
        {"notScopes": [f"{GROUP.upper()}/providers/{ACCOUNTS}/one"]},
        {"resourceSelectors": [{"selectors": [{"kind": "resourceLocation", "in": ["westus"]}]}]},
        {"resourceSelectors": [{"selectors": [{"kind": "resourceType", "notIn": [ACCOUNTS]}]}]},
        {"resourceSelectors": [{"selectors": [{"kind": "resourceLocation", "in": []}]}]},
        {"overrides": [{"kind": "policyEffect", "value": "audit"}]},
    ],
    ids=str,
)
def test_an_assignment_may_reach_less(properties: dict[str, Any]) -> None:
    """What it leaves out is not refused."""
    definition = ruled(DENYING)
    assert written(assigned(definition)).denied
    assert not written(assigned(definition, **properties)).denied


def test_another_scope_is_not_reached() -> None:
    """`rg` does not hold `rg2`; the management group holds all."""
    definition = ruled(DENYING)
    assert not written(assigned(definition, scope=f"{GROUP}2")).denied
    group = "/providers/Microsoft.Management/managementGroups/t"
    assert written(assigned(definition, scope=group)).denied


@pytest.mark.parametrize(
    ("expires", "free"), [("", True), ("2026-11-27T00:00:00Z", True), ("2026-01-01", False)]
)
def test_exemptions_end(expires: str, free: bool) -> None:
    """Until then the resource is not refused, and counts as exempt."""
    pair = assigned(ruled(DENYING))
    told = {"policyAssignmentId": pair[0].resource.id.upper(), "expiresOn": expires}
    path = f"{GROUP}/providers/{EXEMPTION_TYPE}/e"
    exemption = read_exemption(Resource(path, EXEMPTION_TYPE, "e", told))
    exempt = policies(pair, exemptions=(exemption,))
    assert bool(Court(exempt, EXPRESSIONS).on_write(subject(), WORLD).denied) != free
    (standing,) = Survey(exempt, EXPRESSIONS, ()).standings(subject(), WORLD)
    assert standing.state == ("Exempt" if free else "NonCompliant")


def test_delete_is_forbidden_by_deny_action_alone() -> None:
    """And with the resource group around, unless the policy lets that pass."""
    protecting = ruled({"effect": "denyAction", "details": {"actionNames": ["delete"]}})
    lenient = ruled(
        {
            "effect": "denyAction",
            "details": {"actionNames": ["delete"], "cascadeBehaviors": {"resourceGroup": "allow"}},
        }
    )
    for definition, cascading, refused in [
        (protecting, False, True),
        (protecting, True, True),
        (lenient, False, True),
        (lenient, True, False),
        (ruled(DENYING), False, False),
    ]:
        court = Court(policies(assigned(definition)), EXPRESSIONS)
        assert bool(court.on_delete(subject(), WORLD, cascading=cascading)) == refused


def states(
    then: dict[str, Any],
    condition: Any = None,  # noqa: ANN401 - JSON
    others: tuple[Subject, ...] = (),
) -> list[str]:
    """How the account stands."""
    survey = Survey(policies(assigned(ruled(then, condition))), EXPRESSIONS, others)
    return [each.state for each in survey.standings(subject(), WORLD)]


def child(name: str, **properties: Any) -> Subject:  # noqa: ANN401 - JSON
    """A deployment of the account."""
    path = f"{ACCOUNT['id']}/deployments/{name}"
    content = {"id": path, "name": name, "type": CHILD_TYPE, "properties": properties}
    return Subject(path, CHILD_TYPE, indexed=False, content=content)


def test_compliance_of_what_is_there() -> None:
    """Met is not compliant, not met is, and what a rule does not look at has no state."""
    keys_on = {"allOf": [IS_ACCOUNT, {"field": KEYS, "notEquals": True}]}
    public = {"allOf": [IS_ACCOUNT, {"field": "location", "equals": "nowhere"}]}
    elsewhere = {"allOf": [{"field": "type", "equals": CHILD_TYPE}, {"field": "name", "like": "*"}]}
    assert states(DENYING, keys_on) == ["NonCompliant"]
    assert states({"effect": "audit"}, public) == ["Compliant"]
    assert states(DENYING, elsewhere) == []
    assert states({"effect": "disabled"}, keys_on) == []
    assert states({"effect": "manual", "details": {"defaultState": "compliant"}}) == ["Compliant"]
    assert states({"effect": "manual"}) == ["Unknown"]


def test_audit_if_not_exists_looks_below_the_resource() -> None:
    """For one that meets the condition."""
    model = {"field": f"{CHILD_TYPE}/model.name", "equals": "gpt-4o"}
    then = {
        "effect": "auditIfNotExists",
        "details": {"type": CHILD_TYPE, "existenceCondition": model},
    }
    assert states(then) == ["NonCompliant"]
    assert states(then, others=(child("x", model={"name": "o1"}),)) == ["NonCompliant"]
    assert states(then, others=(child("x", model={"name": "GPT-4o"}),)) == ["Compliant"]


@pytest.mark.parametrize(
    ("then", "place"),
    [
        ({}, "effect"),
        ({"effect": "explode"}, "effect"),
        ({"effect": "[parameters('none')]"}, "effect"),
        ({"effect": "deployIfNotExists", "details": {"type": "a/b"}}, "effect"),
        ({"effect": "modify", "details": {"operations": [setting(KEYS, value=True)]}}, "details"),
        ({"effect": "modify", "details": {"roleDefinitionIds": [ROLE]}}, "details"),
        (
            {
                "effect": "modify",
                "details": {"roleDefinitionIds": [ROLE], "operations": [setting("location", "x")]},
            },
            "details",
        ),
        ({"effect": "append", "details": {}}, "details"),
        ({"effect": "denyAction", "details": {"actionNames": ["write"]}}, "details"),
        ({"effect": "auditIfNotExists"}, "details"),
    ],
    ids=str,
)
def test_effects_are_refused_where_they_are_wrong(then: dict[str, Any], place: str) -> None:
    """What an effect needs must be there."""
    _, problems = read(IS_ACCOUNT, then)
    assert problems
    assert problems[0].target.startswith(f"properties.policyRule.then.{place}")


def test_built_in_definitions_are_right() -> None:
    """Each can be read, as what people write can."""
    for resource in BUILT_IN:
        definition, problems = read_definition(resource, EXPRESSIONS)
        assert not problems, (resource.name, problems)
        assert definition.then.effect
    known = {scope_key(each.id) for each in BUILT_IN}
    for resource in BUILT_IN_SETS:
        initiative, problems = read_set(resource)
        assert not problems
        assert {scope_key(each.definition_id) for each in initiative.members} <= known


def test_an_initiative_hands_its_parameters_on() -> None:
    """To the members that ask for them; each is one policy of its own."""
    definitions = {scope_key(each.id): read_definition(each, EXPRESSIONS)[0] for each in BUILT_IN}
    (resource,) = BUILT_IN_SETS
    initiative, _ = read_set(resource)
    told = {
        "policyDefinitionId": resource.id,
        "parameters": {"allowedModels": {"value": ["gpt-4o,1"]}, "effect": {"value": "Audit"}},
        "nonComplianceMessages": [
            {"message": "all"},
            {"message": "zone", "policyDefinitionReferenceId": "inZone"},
        ],
    }
    assignment, _ = read_assignment(
        Resource(f"{GROUP}/providers/{ASSIGNMENT_TYPE}/i", ASSIGNMENT_TYPE, "i", told)
    )
    bound = bind(assignment, definitions, {scope_key(resource.id): initiative}, EXPRESSIONS)
    assert [(each.reference, each.message) for each in bound] == [
        ("approvedModels", "all"),
        ("inZone", "zone"),
    ]
    court = Court(Policies(bound), EXPRESSIONS)
    for version, sku, met in [
        ("1", "Standard", []),
        ("2", "GlobalStandard", ["approvedModels", "inZone"]),
    ]:
        seen = child("d", model={"name": "gpt-4o", "version": version})
        seen.content["sku"] = {"name": sku}
        verdict = court.on_write(seen, WORLD)
        assert [each.bound.reference for each in verdict.audited] == met
        assert not verdict.denied
