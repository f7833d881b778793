"""The rule language: like a naive evaluation for random rules, and as Azure's pages say."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.controls.policy.evaluation import Evaluation, EvaluationFailed
from tests.controls.policy import naive
from tests.controls.policy.rules import ACCOUNTS, EXPRESSIONS, WORLD, met, read

TEXTS = st.text(alphabet="aB1-/", max_size=4)
PATTERNS = st.text(alphabet="aB1#?.-", max_size=4)
SCALARS = st.one_of(TEXTS, st.booleans(), st.integers(0, 12))
TEXT_OPERATORS = [
    f"{negation}{word if not negation else word[0].upper() + word[1:]}"
    for negation in ("", "not")
    for word in ("match", "matchInsensitively")
]
FIELDS = st.sampled_from([*naive.PATHS])
TEAM = st.sampled_from(["team", "TEAM"])


def cased(text: str) -> st.SearchStrategy[str]:
    """A text in any case: names of fields are found without."""
    return st.sampled_from([text, text.lower(), text.upper()])


@st.composite
def conditions(draw: st.DrawFn, *, numbers: bool = False) -> dict[str, Any]:
    """An operator with a target that it takes."""
    if numbers:
        operator = draw(
            st.sampled_from(["less", "lessOrEquals", "greater", "greaterOrEquals", "equals"])
        )
        return {operator: draw(st.integers(0, 3))}
    one = st.one_of(
        st.tuples(st.sampled_from(["equals", "notEquals", "contains", "notContains"]), SCALARS),
        st.tuples(st.sampled_from(["in", "notIn"]), st.lists(SCALARS, max_size=3)),
        st.tuples(st.sampled_from(TEXT_OPERATORS), PATTERNS),
        st.tuples(
            st.sampled_from(["like", "notLike"]),
            st.builds(lambda a, b: f"{a}*{b}", TEXTS, TEXTS) | TEXTS,
        ),
        st.tuples(st.sampled_from(["containsKey", "notContainsKey"]), TEAM),
        st.tuples(st.just("exists"), st.sampled_from(["true", "False", True, False])),
    )
    operator, target = draw(one)
    return {operator: target}


COUNTED = f"{ACCOUNTS}/networkAcls.ipRules[*].value"


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    """A comparison of a field, a value or a count."""
    kind = draw(st.sampled_from(["field", "field", "value", "count"]))
    if kind == "field":
        return {"field": draw(FIELDS)} | draw(conditions())
    if kind == "value":
        return {"value": draw(SCALARS)} | draw(conditions())
    count: dict[str, Any] = {"field": COUNTED}
    if draw(st.booleans()):
        count["where"] = draw(
            st.one_of(
                conditions().map(lambda each: {"field": COUNTED} | each),
                conditions().map(lambda each: {"not": {"field": COUNTED} | each}),
                conditions().map(lambda each: {"field": "kind"} | each),
            )
        )
    return {"count": count} | draw(conditions(numbers=True))


RULES = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda each: {"allOf": each}),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: {"anyOf": each}),
        inner.map(lambda each: {"not": each}),
    ),
    max_leaves=6,
)
RESOURCES = st.fixed_dictionaries(
    {
        "type": st.just(ACCOUNTS),
        "properties": st.fixed_dictionaries(
            {},
            optional={
                "disableLocalAuth": st.booleans(),
                "publicNetworkAccess": TEXTS,
                "networkAcls": st.fixed_dictionaries(
                    {},
                    optional={
                        "ipRules": st.lists(
                            st.fixed_dictionaries({}, optional={"value": TEXTS}), max_size=3
                        )
                    },
                ),
                "allowedFqdnList": st.lists(TEXTS, max_size=3),
            },
        ),
    },
    optional={
        "kind": TEXTS,
        "location": TEXTS,
        "sku": st.fixed_dictionaries({"name": TEXTS}),
        "tags": st.fixed_dictionaries({}, optional={"team": TEXTS, "b": TEXTS}),
    },
)


@given(rule=RULES, resource=RESOURCES)
def test_rules_hold_as_a_naive_evaluation_says(
    rule: dict[str, Any], resource: dict[str, Any]
) -> None:
    """Whatever the rule, whatever is missing of the resource."""
    assert met(rule, resource) == naive.met(rule, resource)


@given(rule=RULES, resource=RESOURCES)
def test_case_never_counts_but_for_match(rule: dict[str, Any], resource: dict[str, Any]) -> None:
    """Words of the language and names of fields may be written in any case."""

    def shouted(node: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(node, dict):
            return {
                key.upper(): value.upper()
                if key == "field" and "tags" not in value
                else shouted(value)
                for key, value in node.items()
            }
        return [shouted(each) for each in node] if isinstance(node, list) else node

    assert met(shouted(rule), resource) == met(rule, resource)


@given(
    junk=st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(["[", "[field('type')]", "[concat(", "type"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "allOf",
                        "anyOf",
                        "not",
                        "field",
                        "value",
                        "count",
                        "where",
                        "equals",
                        "in",
                        "name",
                    ]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_junk_is_refused_or_evaluates(junk: Any) -> None:  # noqa: ANN401 - JSON
    """Nothing that is sent as a rule makes more than a problem with its place."""
    definition, problems = read(junk)
    for problem in problems:
        assert problem.target.startswith("properties.")
    if not problems:
        with suppress(EvaluationFailed):
            Evaluation(EXPRESSIONS, {}, WORLD, {}).holds(definition.condition)


ALIAS = f"{ACCOUNTS}/networkAcls.ipRules[*].value"
HOLDING: list[dict[str, Any]] = [
    {"field": "tags.team", "equals": "blue"},
    {"field": "tags['cost.center']", "equals": 7},
    {"field": "tags[cost.center]", "equals": "7"},
    {"field": "tags['it''s']", "equals": "x"},
    {"field": "tags", "containsKey": "TEAM"},
    {"field": "identity.type", "equals": "systemassigned"},
    {"field": f"{ACCOUNTS}/disableLocalAuth", "notEquals": True},
    {"field": f"{ACCOUNTS}/disableLocalAuth", "equals": "false"},
    {"field": f"{ACCOUNTS}/customSubDomainName", "exists": False},
    {"field": f"{ACCOUNTS}/publicNetworkAccess", "notEquals": "Disabled"},
    {"field": ALIAS, "like": "1*"},
    {"not": {"field": ALIAS, "equals": "192.168.1.7"}},
    {"count": {"field": ALIAS, "where": {"field": ALIAS, "equals": "192.168.1.7"}}, "equals": 1},
    {"count": {"field": f"{ACCOUNTS}/allowedFqdnList[*]"}, "equals": 0},
    {
        "count": {
            "field": f"{ACCOUNTS}/networkAcls.ipRules[*]",
            "where": {"value": f"[startsWith(current('{ALIAS}'), '10.')]", "equals": True},
        },
        "equals": 1,
    },
    {
        "count": {
            "value": ["a", "b", "abc"],
            "name": "word",
            "where": {
                "count": {
                    "value": ["a", "c"],
                    "name": "letter",
                    "where": {
                        "value": "[contains(current('word'), current('letter'))]",
                        "equals": True,
                    },
                },
                "greaterOrEquals": 1,
            },
        },
        "equals": 2,
    },
    {"value": f"[length(field('{ALIAS}'))]", "equals": 2},
    {"value": "[resourceGroup().tags.env]", "equals": "prod"},
    {"value": "[subscription().subscriptionId]", "equals": "s"},
    {"value": "[requestContext().apiVersion]", "greaterOrEquals": "2025-01-01"},
    {"value": "[addDays(utcNow(), -3)]", "less": "[utcNow()]"},
    {"value": "[if(empty(field('tags')), 'no', toLower(field('tags').Team))]", "equals": "blue"},
    {"value": "[ipRangeContains('10.0.0.0/8', '10.1.2.3')]", "equals": True},
    {"value": "[ipRangeContains('10.0.0.1 - 10.0.0.9', '10.0.0.0/30')]", "equals": False},
    {"value": "[coalesce(field('tags[''none'']'), 'nothing')]", "equals": "nothing"},
    {"value": "[[no expression]", "equals": "[[NO expression]"},
    {"field": "[concat('tags[', 'Team', ']')]", "equals": "blue"},
    {"field": "Microsoft.CognitiveServices/accounts/deployments/model.name", "exists": "false"},
    {"value": "5", "greater": 4},
]


@pytest.mark.parametrize("rule", HOLDING, ids=str)
def test_it_holds(rule: dict[str, Any]) -> None:
    """Each as Azure's pages describe it, over one account."""
    assert met(rule)


def test_parameters_are_found_without_case_and_fall_back_to_their_defaults() -> None:
    """Given values win."""
    declared = {
        "Words": {"type": "Array", "defaultValue": ["OpenAI"]},
        "flag": {"type": "Boolean", "allowedValues": [True]},
    }
    rule = {"field": "kind", "in": "[parameters('words')]"}
    assert met(rule, declared=declared)
    assert not met(rule, declared=declared, given={"words": ["AIServices"]})


REFUSED: list[tuple[Any, str, str]] = [
    ([], "policyRule.if", "InvalidPolicyRule"),
    ({"allOf": []}, "policyRule.if.allOf", "InvalidPolicyRule"),
    ({"allOf": [{"field": "type"}]}, "policyRule.if.allOf[0]", "InvalidPolicyRule"),
    ({"allOf": [{"value": 1, "sounds": 2}]}, "policyRule.if.allOf[0]", "InvalidPolicyRule"),
    ({"not": {"field": "size", "equals": 1}}, "policyRule.if.not.field", "InvalidPolicyAlias"),
    (
        {"field": f"{ACCOUNTS}/disableLocalAuht", "equals": 1},
        "policyRule.if.field",
        "InvalidPolicyAlias",
    ),
    ({"field": "type", "in": "a"}, "policyRule.if.in", "InvalidPolicyRule"),
    ({"field": "type", "like": "*a*"}, "policyRule.if.like", "InvalidPolicyRule"),
    ({"field": "type", "exists": "maybe"}, "policyRule.if.exists", "InvalidPolicyRule"),
    (
        {"value": "[parameters('no')]", "equals": 1},
        "policyRule.if.value",
        "InvalidPolicyParameters",
    ),
    ({"value": "[concat('a']", "equals": 1}, "policyRule.if.value", "InvalidPolicyRule"),
    ({"value": "[reference('a')]", "equals": 1}, "policyRule.if.value", "InvalidPolicyRule"),
    ({"value": "[listKeys('a', 'b')]", "equals": 1}, "policyRule.if.value", "InvalidPolicyRule"),
    ({"value": "[field('size')]", "equals": 1}, "policyRule.if.value", "InvalidPolicyAlias"),
    ({"count": {"field": "type"}, "equals": 1}, "policyRule.if.count.field", "InvalidPolicyRule"),
    ({"count": {"name": "a"}, "equals": 1}, "policyRule.if.count", "InvalidPolicyRule"),
]


@pytest.mark.parametrize(("rule", "place", "code"), REFUSED, ids=str)
def test_it_is_refused_at_its_place(rule: Any, place: str, code: str) -> None:  # noqa: ANN401 - any JSON
    """With Azure's code."""
    _, problems = read(rule)
    assert [(each.code, each.target) for each in problems] == [(code, f"properties.{place}")]


def test_near_aliases_are_named() -> None:
    """A misspelt alias teaches the right one."""
    _, problems = read({"field": f"{ACCOUNTS}/deployments/modell.name", "equals": "x"})
    assert f"'{ACCOUNTS}/deployments/model.name'" in problems[0].message


def test_bounds() -> None:
    """Depth and size are bounded when a rule is read, work when it is evaluated."""
    deep: dict[str, Any] = {"field": "type", "equals": "x"}
    for _ in range(200):
        deep = {"not": deep}
    wide = {"allOf": [{"field": "type", "equals": "x"}] * 600}
    for rule in (deep, wide):
        assert read(rule)[1][0].code == "InvalidPolicyRule"
    many = [*range(600)]
    busy = {
        "count": {
            "value": many,
            "name": "a",
            "where": {"count": {"value": many, "name": "b"}, "equals": 1},
        },
        "equals": 1,
    }
    with pytest.raises(EvaluationFailed, match="more than"):
        met(busy)


@pytest.mark.parametrize(
    "rule",
    [
        {"value": True, "less": 3},
        {"value": "[field('tags').nothing]", "equals": 1},
        {"value": "[current('a')]", "equals": 1},
        {"field": "[concat('no', 'thing')]", "equals": 1},
        {"count": {"value": "text"}, "equals": 1},
        {"value": "[createArray()[0]]", "equals": 1},
    ],
    ids=str,
)
def test_what_has_no_answer_fails(rule: dict[str, Any]) -> None:
    """It neither holds nor does not hold: whoever enforces takes it for a refusal."""
    with pytest.raises(EvaluationFailed):
        met(rule)
