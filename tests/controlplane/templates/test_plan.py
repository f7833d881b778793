"""From a template to resources in order: names, copies, conditions, children, scopes, outputs."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.controlplane.templates.facts import Fact, FactWanted, Surroundings
from linarite.controlplane.templates.language.parser import parse
from linarite.controlplane.templates.language.syntax import Access, Call, Literal
from linarite.controlplane.templates.plan import draft, draft_nested
from linarite.controlplane.templates.problems import ExpressionFailed, TemplateRefused
from linarite.controlplane.templates.relaxed_json import read
from tests.controlplane.templates.samples import (
    ACCOUNTS,
    GROUP,
    HERE,
    SUBSCRIPTION,
    account,
    ids,
    known,
    plan,
    template,
)


def refusal_of(**sections: Any) -> str:  # noqa: ANN401 - JSON
    """All messages with which a template is refused."""
    with pytest.raises(TemplateRefused) as refusal:
        plan(**sections)
    return "\n".join(problem.message for problem in refusal.value.problems)


def test_account_with_deployments_becomes_three_writes_in_order() -> None:
    """What depends on the account comes after it, though declared before."""
    made = plan(
        {"models": ["a", "b"]},
        parameters={"models": {"type": "array"}},
        variables={"account": "oai"},
        resources=[
            {
                "type": f"{ACCOUNTS}/deployments",
                "apiVersion": "2024-10-01",
                "name": "[concat(variables('account'), '/', parameters('models')[copyIndex()])]",
                "copy": {"name": "each", "count": "[length(parameters('models'))]"},
                "sku": {"name": "Standard", "capacity": "[add(copyIndex('each'), 1)]"},
                "properties": {"model": {"name": "[parameters('models')[copyIndex()]]"}},
                "dependsOn": ["[resourceId('" + ACCOUNTS + "', variables('account'))]"],
            },
            account(
                "[variables('account')]",
                location="[resourceGroup().location]",
                tags=None,
                properties={"plain": "[[not an expression]"},
            ),
        ],
    )
    assert ids(made) == [
        f"{ACCOUNTS}/oai",
        f"{ACCOUNTS}/oai/deployments/a",
        f"{ACCOUNTS}/oai/deployments/b",
    ]
    first, _, last = made.resources
    assert made.body(first, {}) == {
        "location": "swedencentral",
        "properties": {"plain": "[not an expression]"},
    }
    assert made.body(last, {}) == {
        "sku": {"name": "Standard", "capacity": 2},
        "properties": {"model": {"name": "b"}},
    }
    assert last.declared.api_version == "2024-10-01"


@pytest.mark.parametrize(
    "wanted",
    [
        "oai",
        f"{ACCOUNTS}/oai",
        f"{ACCOUNTS}/OAI",
        "[resourceId('Microsoft.CognitiveServices/accounts', 'oai')]",
        "loop",
    ],
)
def test_depends_on_takes_name_type_and_name_id_or_loop(wanted: str) -> None:
    """All that ARM takes for a dependency means the resource."""
    made = plan(
        resources=[
            account("b", dependsOn=[wanted]),
            account("oai", copy={"name": "loop", "count": 1}),
        ]
    )
    assert ids(made) == [f"{ACCOUNTS}/oai", f"{ACCOUNTS}/b"]


def test_reading_another_resource_is_a_dependency() -> None:
    """`reference()` and `list…()` make what they read come first."""
    made = plan(
        resources=[
            account("b", properties={"e": "[reference('oai').endpoint]"}),
            account("c", properties={"k": f"[listKeys(resourceId('{ACCOUNTS}', 'b'), '1').key1]"}),
            account("oai"),
        ]
    )
    assert ids(made) == [f"{ACCOUNTS}/oai", f"{ACCOUNTS}/b", f"{ACCOUNTS}/c"]
    assert made.dependencies[made.resources[1].key] == {made.resources[0].key}


def test_facts_are_asked_for_one_by_one_and_then_used() -> None:
    """A body says what it has to know; with that it is complete."""
    made = plan(
        variables={"id": f"[resourceId('{ACCOUNTS}', 'oai')]"},
        resources=[
            account(
                "b",
                properties={
                    "endpoint": "[reference('oai').endpoint]",
                    "kind": "[reference(variables('id'), '2023-05-01', 'Full').kind]",
                    "key": "[listKeys('oai', '2024-10-01').key1]",
                    "sas": "[listSecrets('oai', '2024-10-01', createObject('days', 1)).sas]",
                },
            ),
            account("oai"),
        ],
    )
    oai = f"{GROUP}/providers/{ACCOUNTS}/oai"
    world: dict[Fact, Any] = {
        Fact(oai, "2024-10-01").key: {"properties": {"Endpoint": "https://oai"}},
        Fact(oai, "2023-05-01").key: {"kind": "OpenAI", "properties": {}},
        Fact(oai, "2024-10-01", "listKeys").key: {"key1": "k"},
        Fact(oai, "2024-10-01", "listSecrets", b'{"days":1}').key: {"sas": "s"},
    }
    facts: dict[Fact, Any] = {}
    while True:
        try:
            body = made.body(made.resources[1], facts)
            break
        except FactWanted as wanted:
            facts[wanted.fact] = world[wanted.fact]
    assert body["properties"] == {
        "endpoint": "https://oai",
        "kind": "OpenAI",
        "key": "k",
        "sas": "s",
    }


def test_symbolic_names_existing_resources_and_loops() -> None:
    """Language version 2.0: resources by symbol, `existing` ones are read and not written."""
    made = plan(
        languageVersion="2.0",
        resources={
            "parts": {
                "type": f"{ACCOUNTS}/deployments",
                "apiVersion": "2024-10-01",
                "name": "[format('{0}/{1}', 'oai', range(0, 2)[copyIndex()])]",
                "copy": {"name": "parts", "count": "[length(range(0, 2))]"},
                "properties": {"e": "[reference('oai').endpoint]"},
                "dependsOn": ["oai"],
            },
            "oai": account("oai"),
            "other": {**account("else"), "existing": True, "resourceGroup": "far"},
            "last": account(
                "last",
                dependsOn=["[format('parts[{0}]', 1)]"],
                properties={"id": "[resourceInfo('other').id]", "all": "[references('parts')]"},
            ),
        },
    )
    assert ids(made) == [
        f"{ACCOUNTS}/oai",
        f"{ACCOUNTS}/oai/deployments/0",
        f"{ACCOUNTS}/oai/deployments/1",
        f"{ACCOUNTS}/last",
    ]
    facts = {
        **known(made.resources[1].id, properties={"n": 0}),
        **known(made.resources[2].id, properties={"n": 1}),
    }
    assert made.body(made.resources[3], facts)["properties"] == {
        "id": f"{SUBSCRIPTION}/resourceGroups/far/providers/{ACCOUNTS}/else",
        "all": [{"n": 0}, {"n": 1}],
    }


def test_property_variable_and_output_loops() -> None:
    """`copy` makes arrays of properties, of variables and of outputs."""
    made = plan(
        variables={
            "copy": [
                {"name": "names", "count": 2, "input": "[concat('n', copyIndex('names', 1))]"}
            ],
            "inner": {"copy": [{"name": "l", "count": 1, "input": {"i": "[copyIndex('l')]"}}]},
        },
        resources=[
            account(
                "a",
                properties={
                    "names": "[variables('names')]",
                    "inner": "[variables('inner')]",
                    "copy": [{"name": "rules", "count": 2, "input": "[copyIndex('rules')]"}],
                },
            )
        ],
        outputs={"o": {"type": "array", "copy": {"count": 2, "input": "[copyIndex()]"}}},
    )
    assert made.body(made.resources[0], {})["properties"] == {
        "names": ["n1", "n2"],
        "inner": {"l": [{"i": 0}]},
        "rules": [0, 1],
    }
    assert made.outputs({}) == {"o": {"type": "Array", "value": [0, 1]}}


def test_conditions_leave_out() -> None:
    """A resource or output whose condition is false is not there; depending on it is no mistake."""
    made = plan(
        {"on": False},
        parameters={"on": {"type": "bool"}},
        resources=[
            account("a", condition="[parameters('on')]"),
            account("b", condition="[not(parameters('on'))]", dependsOn=["a"]),
        ],
        outputs={"gone": {"type": "int", "condition": "[parameters('on')]", "value": 1}},
    )
    assert ids(made) == [f"{ACCOUNTS}/b"]
    assert made.outputs({}) == {}


def test_children_inside_and_extensions_outside() -> None:
    """Names of children are joined to their parents'; extensions go where `scope` says."""
    role = "Microsoft.Authorization/roleAssignments"
    made = plan(
        resources=[
            {
                "type": role,
                "apiVersion": "2022-04-01",
                "name": "r1",
                "scope": f"[format('{ACCOUNTS}/{{0}}', 'oai')]",
            },
            {
                "type": f"{ACCOUNTS}/providers/roleAssignments",
                "apiVersion": "2022-04-01",
                "name": "oai/Microsoft.Authorization/r2",
            },
            account(
                "oai",
                resources=[
                    {
                        "type": "raiPolicies",
                        "apiVersion": "2024-10-01",
                        "name": "p",
                        "properties": {},
                    }
                ],
            ),
            {"type": role, "apiVersion": "2022-04-01", "name": "r3"},
        ]
    )
    assert ids(made) == [
        f"{ACCOUNTS}/oai",
        f"{ACCOUNTS}/oai/providers/{role}/r1",
        f"{ACCOUNTS}/oai/providers/{role}/r2",
        f"{ACCOUNTS}/oai/raiPolicies/p",
        f"{role}/r3",
    ]


def test_subscription_deployment_makes_groups() -> None:
    """At a subscription, groups are resources, and nested deployments say in which they go."""
    here = msgspec.structs.replace(HERE, resource_group=None)
    made = draft(
        template(
            resources=[
                {
                    "type": "Microsoft.Resources/resourceGroups",
                    "apiVersion": "2024-11-01",
                    "name": "new",
                    "location": "westus",
                },
                nested("inside", template(resources=[account("a")]), resourceGroup="new"),
            ]
        ),
        {},
        here,
    )
    assert ids(made) == [
        "/resourceGroups/new",
        "/resourceGroups/new/providers/Microsoft.Resources/deployments/inside",
    ]
    with pytest.raises(TemplateRefused, match="RESOURCEGROUP"):
        draft(template(resources=[account("[resourceGroup().name]")]), {}, here)


def nested(name: str, inside: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A deployment within a deployment."""
    scope = more.pop("evaluate", "inner")
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2025-04-01",
        "name": name,
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": scope},
            "template": inside,
            "parameters": more.pop("parameters", {}),
        },
        **more,
    }


def test_inner_module_has_its_own_parameters() -> None:
    """A module's parameters come from outside, its expressions from within."""
    module = template(
        parameters={"name": {"type": "string"}},
        variables={"full": "[concat(parameters('name'), '-x')]"},
        resources=[account("[variables('full')]")],
        outputs={"id": {"type": "string", "value": "[variables('full')]"}},
    )
    outside = plan(
        variables={"n": "oai"},
        resources=[nested("m", module, parameters={"name": {"value": "[variables('n')]"}})],
        outputs={"o": {"type": "string", "value": "[reference('m').outputs.id.value]"}},
    )
    ready = outside.nested(outside.resources[0], {})
    assert ready.parameters == {"name": "oai"}
    assert outside.body(outside.resources[0], {}) == {
        "properties": {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}}
    }
    inside = draft_nested(outside, outside.resources[0], ready, HERE)
    assert ids(inside) == [f"{ACCOUNTS}/oai-x"]
    assert inside.outputs({}) == {"id": {"type": "String", "value": "oai-x"}}
    fact = known(outside.resources[0].id, "2025-04-01", properties={"outputs": inside.outputs({})})
    assert outside.outputs(fact) == {"o": {"type": "String", "value": "oai-x"}}


def test_outer_module_speaks_the_language_outside() -> None:
    """In an outer scope, names and `resourceGroup()` are those of the template around."""
    there = Surroundings(
        subscription=HERE.subscription,
        deployment={"name": "m"},
        resource_group={"id": f"{SUBSCRIPTION}/resourceGroups/far", "name": "far"},
    )
    module = template(
        parameters={"name": {"type": "string", "defaultValue": "unused"}},
        resources=[
            account(
                "[parameters('name')]",
                tags={"from": "[resourceGroup().name]", "at": "[deployment().name]"},
            )
        ],
    )
    outside = plan(
        {"name": "outer"},
        parameters={"name": {"type": "string"}},
        resources=[nested("m", module, evaluate="outer", resourceGroup="far")],
    )
    resource = outside.resources[0]
    inside = draft_nested(outside, resource, outside.nested(resource, {}), there)
    assert [one.id for one in inside.resources] == [
        f"{SUBSCRIPTION}/resourceGroups/far/providers/{ACCOUNTS}/outer"
    ]
    assert inside.body(inside.resources[0], {}) == {"tags": {"from": "rg", "at": "main"}}


def test_template_link_is_refused_in_words() -> None:
    """Nothing is fetched from outside; the refusal says what to do instead."""
    linked = nested("m", {})
    linked["properties"]["templateLink"] = {"uri": "https://example.org/t.json"}
    del linked["properties"]["template"]
    made = plan(resources=[linked])
    with pytest.raises(ExpressionFailed, match="templateLink"):
        made.nested(made.resources[0], {})


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"resources": [account("a", dependsOn=["b"])]}, "'b' is not defined in the template"),
        (
            {"resources": [account("a", dependsOn=["b"]), account("b", dependsOn=["a"])]},
            "Circular dependency detected",
        ),
        ({"resources": [account("a"), account("A")]}, "defined multiple times"),
        ({"resources": [account("a/b")]}, "requires '1' resource name"),
        ({"resources": [{"type": ACCOUNTS, "name": "a"}]}, "must have a 'apiVersion'"),
        ({"resources": [account("a", condition="[1]")]}, "condition must evaluate to a boolean"),
        ({"resources": [account("a", copy={"name": "c", "count": 801})]}, "invalid copy count"),
        ({"resources": [account("a", copy={"name": "c", "count": -1})]}, "invalid copy count"),
        ({"resources": [account("[reference('a').x]")]}, "not known before the deployment runs"),
        ({"resources": [account("a", tags={"x": "[nope(1)]"})]}, "function 'nope' is not valid"),
        (
            {"resources": [account("a", tags={"x": "[parameters('p')]"})]},
            "Unable to process template language expressions for resource 'a'.*'p' is not found",
        ),
        ({"resources": {"a": account("a")}}, "languageVersion"),
        ({"resources": ["x"]}, "Every resource must be an object"),
        ({"resource": []}, "Could not find member 'resource'"),
        ({"parameters": []}, "'parameters' must be an object"),
        ({"parameters": {"p": {}}}, "must have a type"),
        ({"functions": [{"namespace": "a"}]}, "'functions' must be an array"),
        ({"outputs": {f"o{n}": {} for n in range(65)}}, "limit exceeded. Limit: '64'"),
    ],
)
def test_what_is_wrong_is_told(sections: dict[str, Any], says: str) -> None:
    """Each mistake of a template has its sentence."""
    assert re.search(says, refusal_of(**sections))


def test_mistakes_of_many_resources_come_at_once() -> None:
    """All resources that cannot be read are told together."""
    with pytest.raises(TemplateRefused) as refusal:
        plan(resources=[account("[nope()]"), account("[variables('x')]"), account("ok")])
    assert len(refusal.value.problems) == 2
    assert refusal.value.status == 400
    assert refusal.value.code == "InvalidTemplate"


def test_output_that_fails_names_itself() -> None:
    """An output of the wrong type, or with an expression that fails, is told by name."""
    made = plan(
        outputs={
            "a": {"type": "int", "value": "x"},
            "b": {"type": "string", "value": "[substring('', 5)]"},
        }
    )
    with pytest.raises(TemplateRefused) as refusal:
        made.outputs({})
    assert [problem.target for problem in refusal.value.problems] == ["a", "b"]
    assert {problem.code for problem in refusal.value.problems} == {
        "DeploymentOutputEvaluationFailed"
    }


def test_template_files_may_have_comments_and_long_strings() -> None:
    """What Azure's tools send: comments, strings over lines, `az`'s name without quotes."""
    document = b"""{"properties": {"mode": "Incremental", template: {
        // a comment with "quotes"
        "a": "http://x/*no comment*/", /* one
        over lines */ "b": "two
lines", "c": [1, 2,],
    }}}"""
    assert read(document) == {
        "properties": {
            "mode": "Incremental",
            "template": {"a": "http://x/*no comment*/", "b": "two\nlines", "c": [1, 2]},
        }
    }
    with pytest.raises(msgspec.DecodeError):
        read(b'{"a": }')


@pytest.mark.parametrize("part", [b"a", b'\\"', b"/*", b", ", b"a ", b'"a', b"//"])
def test_malformed_document_is_refused_however_long(part: bytes) -> None:
    """As long as a request may be; what looked at it again and again would never end."""
    with pytest.raises(msgspec.DecodeError):
        read(b"{" + part * (4_000_000 // len(part)))


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused_in_words(text: str) -> None:
    """The parser ends with a tree or with a sentence, whatever it is given."""
    try:
        tree = parse(f"[{text}]")
    except ExpressionFailed:
        return
    assert isinstance(tree, Literal | Call | Access)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text("[]'a(", max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=3)
        ),
    )
)
def test_any_property_is_kept_or_refused(value: object) -> None:
    """A property without an expression stays as it was; a wrong expression is refused."""
    try:
        made = plan(resources=[account("a", properties={"p": value})])
        body = made.body(made.resources[0], {})
    except TemplateRefused:
        return
    if "[" not in str(value):
        assert body == {"properties": {"p": value}}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25))
def test_order_keeps_every_dependency_or_names_a_circle(pairs: list[tuple[int, int]]) -> None:
    """Whatever depends on whatever: all come after what they need, unless that is a circle."""
    needs = {at: sorted({before for one, before in pairs if one == at}) for at in range(10)}
    resources = [
        account(f"r{at}", dependsOn=[f"r{before}" for before in needs[at] if before != at])
        for at in range(10)
    ]
    try:
        order = [resource.declared.name for resource in plan(resources=resources).resources]
    except TemplateRefused:
        assert has_circle(needs)
        return
    assert len(order) == 10
    for at, befores in needs.items():
        for before in befores:
            assert before == at or order.index(f"r{before}") < order.index(f"r{at}")


def has_circle(needs: dict[int, list[int]]) -> bool:
    """Whether taking away what needs nothing leaves something."""
    left = {at: {before for before in befores if before != at} for at, befores in needs.items()}
    while free := [at for at, befores in left.items() if not befores]:
        for at in free:
            del left[at]
        for befores in left.values():
            befores.difference_update(free)
    return bool(left)
