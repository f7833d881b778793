"""Policies on the control plane: made, assigned, enforced, and the compliance of what is there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from linarite.controlplane.policy.facts import full_name
from linarite.controlplane.resources.policy_states import actions as states
from linarite.controls.policy.book import PoliciesUnknown
from linarite.domain.activity import ActivityQuery
from linarite.domain.private_link import CONNECTION_TYPE
from linarite.domain.resource import Resource
from tests.controlplane.people import assign, person
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, DEPLOYMENT, GROUP, SUBSCRIPTION, Rig

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer

pytestmark = pytest.mark.anyio

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
AUTHORIZATION = "providers/Microsoft.Authorization"
INSIGHTS = "providers/Microsoft.PolicyInsights/policyStates/latest"
BUILT_IN = f"/{AUTHORIZATION}/policyDefinitions"
KEYS_OFF = f"{BUILT_IN}/14de9e63-1b31-492e-a5a3-c3f7fd57f555"
KEYS_AUDIT = f"{BUILT_IN}/71ef260a-8f18-47b7-abcb-62d0673d94dc"
APPROVED = f"{BUILT_IN}/11a121a7-e000-4000-8000-000000000001"
REGISTRY = f"{BUILT_IN}/aafe3651-cb78-4f68-9f81-e7e41509110f"
PRIVATE_LINK = f"{BUILT_IN}/cddd188c-4b82-4c48-a19d-ddf74ee66a01"
GUARDRAILS = f"/{AUTHORIZATION}/policySetDefinitions/11a121a7-e000-4000-8000-000000000101"
TYPE = "Microsoft.CognitiveServices/accounts"
VERSION = "2025-11-01"


class Governed(Rig):
    """A rig with words for policies."""

    async def define(self, name: str, condition: Any, then: Any, **more: Any) -> Answer:  # noqa: ANN401 - any JSON
        """Make a definition in the subscription."""
        rule = {"if": condition, "then": then}
        body = {"properties": {"mode": "All", "policyRule": rule} | more}
        path = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/{name}"
        return await self.ask("PUT", path, body, version=VERSION)

    async def assign(
        self,
        name: str,
        definition: str,
        scope: str = GROUP,
        **more: Any,  # noqa: ANN401 - JSON
    ) -> Answer:
        """Assign a definition; parameters as name → value."""
        values = {key: {"value": value} for key, value in more.pop("parameters", {}).items()}
        body = {"properties": {"policyDefinitionId": definition, "parameters": values} | more}
        path = f"{scope}/{AUTHORIZATION}/policyAssignments/{name}"
        return await self.ask("PUT", path, body, version=VERSION)

    async def states(self, scope: str = SCOPE, query: str = "") -> list[dict[str, Any]]:
        """What a query answers."""
        path = f"{scope}/{INSIGHTS}/queryResults{query}"
        answer = await self.ask("POST", path, version="2019-10-01")
        assert answer.status == 200, answer.body
        return answer.body["value"]

    async def policy_events(self) -> list[str]:
        """The operations of the activity log that are policies'."""
        events = await self.activity.read(ActivityQuery(subscription=SUBSCRIPTION))
        return [
            event.body["operationName"]["value"]
            for event in events
            if event.body["category"]["value"] == "Policy"
        ]


@pytest.fixture
async def rig() -> Governed:
    """With the group, an account and a deployment."""
    rig = Governed()
    await rig.with_group()
    assert (await rig.ask("PUT", f"{ACCOUNTS}/alpha", ACCOUNT)).status == 201
    assert (await rig.ask("PUT", f"{ACCOUNTS}/alpha/deployments/old", DEPLOYMENT)).status == 201
    await rig.end_jobs()
    return rig


@pytest.fixture
def anyio_backend() -> str:
    """The one that servers run on."""
    return "asyncio"


async def test_deployments_are_evaluated_before_they_are_made(rig: Governed) -> None:
    """Each by its name, with what a PUT would be refused for; nothing is written or logged."""
    await rig.assign("only", APPROVED, parameters={"allowedModels": ["o1"]})
    path = f"{ACCOUNTS}/alpha/evaluateDeploymentPolicies"
    models = {"good": "o1", "bad": "gpt-4o"}
    asked = [{"name": n, "properties": {"model": {"name": m}}} for n, m in models.items()]
    events = await rig.policy_events()
    answer = await rig.ask("POST", path, {"deployments": asked})
    assert answer.status == 200
    good, bad = answer.body["results"]["good"], answer.body["results"]["bad"]
    assert good == {"evaluationOutcome": "Compliant", "nonCompliantAssignments": []}
    assert bad["evaluationOutcome"] == "NonCompliant"
    (against,) = bad["nonCompliantAssignments"]
    assert against["assignmentId"] == f"{GROUP}/{AUTHORIZATION}/policyAssignments/only"
    assert against["policyDefinitionId"] == APPROVED
    assert against["effect"] == "deny"
    assert "gpt-4o" in [each["expressionValue"] for each in against["expressionEvaluations"]]
    assert await rig.policy_events() == events
    assert (await rig.ask("GET", f"{ACCOUNTS}/alpha/deployments/bad")).status == 404
    refused = await rig.ask("PUT", f"{ACCOUNTS}/alpha/deployments/bad", DEPLOYMENT)
    assert refused.body["code"] == "RequestDisallowedByPolicy"
    elsewhere = await rig.ask("POST", path.replace("/alpha/", "/none/"), {"deployments": asked})
    assert elsewhere.status == 404


@pytest.mark.parametrize(
    "deployments",
    [
        [{"name": "chat"}],
        [{"name": "a/b", "properties": {"model": {}}}],
        [{"name": f"d{place}", "properties": {"model": {}}} for place in range(101)],
        "chat",
    ],
)
async def test_what_cannot_be_evaluated_is_told(rig: Governed, deployments: Any) -> None:  # noqa: ANN401 - JSON
    """Without a model, with another name, too many, no list."""
    path = f"{ACCOUNTS}/alpha/evaluateDeploymentPolicies"
    refused = await rig.ask("POST", path, {"deployments": deployments})
    assert (refused.status, refused.body["code"]) == (400, "InvalidRequestContent")


async def test_a_deployment_of_another_model_is_refused(rig: Governed) -> None:
    """New ones are; the old one stays, and does not comply."""
    await rig.assign("only", APPROVED, parameters={"allowedModels": ["o1"]})
    refused = await rig.ask("PUT", f"{ACCOUNTS}/alpha/deployments/new", DEPLOYMENT)
    assert (refused.status, refused.body["code"]) == (403, "RequestDisallowedByPolicy")
    assert refused.body["target"] == "new"
    assert json.loads(refused.body["message"].split("'")[3])[0]["policyAssignment"] == {
        "name": "only",
        "id": f"{GROUP}/{AUTHORIZATION}/policyAssignments/only",
    }
    gone = await rig.ask("GET", f"{ACCOUNTS}/alpha/deployments/new")
    assert gone.status == 404
    patched = await rig.ask(
        "PATCH", f"{ACCOUNTS}/alpha/deployments/old", {"sku": {"name": "Standard", "capacity": 2}}
    )
    assert patched.body["code"] == "RequestDisallowedByPolicy"
    assert await rig.policy_events() == ["Microsoft.Authorization/policies/deny/action"] * 2
    (state,) = await rig.states()
    assert state["resourceId"].endswith("/deployments/old")
    assert (state["complianceState"], state["isCompliant"]) == ("NonCompliant", False)
    await rig.assign("only", APPROVED, parameters={"allowedModels": ["gpt-4o,1"]})
    allowed = await rig.ask("PUT", f"{ACCOUNTS}/alpha/deployments/new", DEPLOYMENT)
    assert allowed.status == 201
    assert {each["complianceState"] for each in await rig.states()} == {"Compliant"}


async def test_modify_turns_keys_off_and_is_logged(rig: Governed) -> None:
    """Also where the request says otherwise; what a server keeps to itself stays."""
    await rig.assign("off", KEYS_OFF, SCOPE)
    for body in (ACCOUNT, ACCOUNT | {"properties": {"disableLocalAuth": False}}):
        answer = await rig.ask("PUT", f"{ACCOUNTS}/beta", body)
        assert answer.body["properties"]["disableLocalAuth"] is True
        stored = await rig.resources.get(f"{ACCOUNTS}/beta")
        assert stored is not None
        assert "privateEndpointConnections" not in stored.properties
    assert await rig.policy_events() == ["Microsoft.Authorization/policies/modify/action"]
    states = {each["resourceId"].rpartition("/")[2]: each for each in await rig.states()}
    assert states["alpha"]["complianceState"] == "NonCompliant"
    assert states["beta"]["complianceState"] == "Compliant"
    assert set(states) == {"alpha", "beta"}


async def test_audit_lets_pass_and_is_logged(rig: Governed) -> None:
    """In the words of the activity log."""
    await rig.assign("keys", KEYS_AUDIT, SCOPE)
    assert (await rig.ask("PUT", f"{ACCOUNTS}/beta", ACCOUNT)).status == 201
    assert await rig.policy_events() == ["Microsoft.Authorization/policies/audit/action"]


async def test_reasons_stand_in_the_assigners_words(rig: Governed) -> None:
    """Of an initiative, those of the member that refuses."""
    await rig.assign(
        "guard",
        GUARDRAILS,
        SCOPE,
        parameters={"allowedModels": ["gpt-4o"]},
        nonComplianceMessages=[
            {"message": "Ask the platform team."},
            {"message": "Data stays here.", "policyDefinitionReferenceId": "inZone"},
        ],
    )
    body = DEPLOYMENT | {"sku": {"name": "GlobalStandard", "capacity": 1}}
    refused = await rig.ask("PUT", f"{ACCOUNTS}/alpha/deployments/new", body)
    assert refused.body["message"] == (
        "Resource 'new' was disallowed by policy. Reasons: 'Data stays here.'. See error details "
        "for policy resource IDs."
    )


async def test_publishers_and_assets_are_approved(rig: Governed) -> None:
    """Azure's own definition, in its own mode."""
    asset = "azureml://registries/azure-openai/models/gpt-4o"
    for parameters, status in [
        ({"allowedPublishers": ["OpenAI"]}, 201),
        ({"allowedAssetIds": [asset]}, 201),
        ({"allowedAssetIds": [f"{asset}/versions/2"]}, 403),
        ({}, 403),
    ]:
        await rig.assign("registry", REGISTRY, SCOPE, parameters=parameters | {"effect": "Deny"})
        path = f"{ACCOUNTS}/alpha/deployments/d{status}"
        answer = await rig.ask("PUT", path, DEPLOYMENT)
        assert (answer.status in (200, 201)) == (status == 201), parameters
        await rig.end_jobs()


async def test_private_links_are_counted(rig: Governed) -> None:
    """Connections are children of an account, and seen as its properties."""
    await rig.assign("link", PRIVATE_LINK, SCOPE)
    assert [each["complianceState"] for each in await rig.states()] == ["NonCompliant"]
    state = {"privateLinkServiceConnectionState": {"status": "Approved"}}
    path = f"{ACCOUNTS}/alpha/privateEndpointConnections/one"
    await rig.resources.put(Resource(id=path, type=CONNECTION_TYPE, name="one", properties=state))
    assert [each["complianceState"] for each in await rig.states()] == ["Compliant"]


async def test_deleting_is_forbidden_with_the_group_around(rig: Governed) -> None:
    """Until the assignment is gone; assignments themselves can always be deleted."""
    await rig.define(
        "stay",
        {"field": "type", "equals": TYPE},
        {"effect": "denyAction", "details": {"actionNames": ["delete"]}},
    )
    await rig.assign("stay", f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/stay")
    for path in (f"{ACCOUNTS}/alpha", GROUP):
        refused = await rig.ask("DELETE", path)
        assert (refused.status, refused.body["code"]) == (403, "RequestDisallowedByPolicy")
    assert (await rig.states())[0]["complianceState"] == "Protected"
    deleted = await rig.ask(
        "DELETE", f"{GROUP}/{AUTHORIZATION}/policyAssignments/stay", version=VERSION
    )
    assert (deleted.status, deleted.body["name"]) == (200, "stay")
    assert (await rig.ask("DELETE", GROUP)).status == 200


async def test_resource_groups_are_looked_at_by_their_policy_type(rig: Governed) -> None:
    """`Microsoft.Resources/subscriptions/resourceGroups`, by mode All; Indexed passes them by."""
    where = {"parameters": {"listOfAllowedLocations": ["eastus2"]}}
    groups = f"{BUILT_IN}/e765b5de-1225-4ba3-bd56-1ac6695af988"
    await rig.assign("places", f"{BUILT_IN}/e56962a6-4747-49cd-b67b-bf8b01975c4c", SCOPE, **where)
    assert (await rig.ask("PUT", f"{GROUP}2", {"location": "local"})).status == 201
    assert (await rig.ask("PUT", f"{ACCOUNTS}/beta", ACCOUNT)).status == 403
    await rig.assign("groups", groups, SCOPE, **where)
    assert (await rig.ask("PUT", f"{GROUP}3", {"location": "local"})).status == 403
    assert (await rig.ask("PUT", f"{GROUP}3", {"location": "eastus2"})).status == 201


async def test_an_exemption_frees_one_resource(rig: Governed) -> None:
    """Until it ends; it must belong to an assignment at or above its scope."""
    await rig.assign("only", APPROVED, SCOPE, parameters={"allowedModels": ["o1"]})
    told = {
        "policyAssignmentId": f"{SCOPE}/{AUTHORIZATION}/policyAssignments/only",
        "exemptionCategory": "Waiver",
    }
    path = f"{ACCOUNTS}/alpha/{AUTHORIZATION}/policyExemptions/free"
    for wrong in (
        {"exemptionCategory": "Waiver"},
        {"policyAssignmentId": told["policyAssignmentId"]},
        told | {"expiresOn": "soon"},
    ):
        refused = await rig.ask("PUT", path, {"properties": wrong}, version="2022-07-01-preview")
        assert refused.status in (400, 404), wrong
    new = f"{ACCOUNTS}/alpha/deployments/new"
    past = told | {"expiresOn": "2020-01-01T00:00:00+01:00"}
    made = await rig.ask("PUT", path, {"properties": past}, version="2022-07-01-preview")
    assert made.body["properties"]["expiresOn"] == "2019-12-31T23:00:00Z"
    assert (await rig.ask("PUT", new, DEPLOYMENT)).status == 403
    await rig.ask("PUT", path, {"properties": told}, version="2022-07-01-preview")
    assert (await rig.ask("PUT", new, DEPLOYMENT)).status == 201
    assert {each["complianceState"] for each in await rig.states()} == {"Exempt"}


async def test_definitions_are_listed_shown_and_kept_while_used(rig: Governed) -> None:
    """Built-in ones at the tenant, own ones at their scope."""
    made = await rig.define("mine", {"field": "type", "equals": "x"}, {"effect": "audit"})
    assert (made.status, made.body["properties"]["policyType"]) == (201, "Custom")
    again = await rig.define("mine", {"field": "type", "equals": "y"}, {"effect": "audit"})
    assert again.status == 201
    mine = f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/mine"
    every = await rig.ask("GET", f"{SCOPE}/{AUTHORIZATION}/policyDefinitions", version=VERSION)
    named = await rig.ask(
        "GET",
        f"{SCOPE}/{AUTHORIZATION}/policyDefinitions?$filter=policyType eq 'Custom'",
        version=VERSION,
    )
    assert len(every.body["value"]) > 10
    assert [each["name"] for each in named.body["value"]] == ["mine"]
    assert (await rig.ask("GET", KEYS_OFF, version=VERSION)).status == 200
    for method in ("PUT", "DELETE"):
        assert (await rig.ask(method, KEYS_OFF, version=VERSION)).status == 405
    assert (await rig.ask("GET", f"{BUILT_IN}/none", version=VERSION)).status == 404
    await rig.assign("it", mine)
    kept = await rig.ask("DELETE", mine, version=VERSION)
    assert (kept.status, kept.body["code"]) == (409, "PolicyDefinitionInUse")
    await rig.ask("DELETE", f"{GROUP}/{AUTHORIZATION}/policyAssignments/it", version=VERSION)
    assert (await rig.ask("DELETE", mine, version=VERSION)).status == 200
    assert (await rig.ask("DELETE", mine, version=VERSION)).status == 204


async def test_assignments_are_listed_around_and_below(rig: Governed) -> None:
    """`atScope()` leaves out what lies below, `atExactScope()` also what lies around."""
    for name, scope in [("top", SCOPE), ("group", GROUP), ("deep", f"{ACCOUNTS}/alpha")]:
        assert (await rig.assign(name, KEYS_AUDIT, scope)).status == 201
    for query, names in [
        ("", ["group", "top", "deep"]),
        ("?$filter=atScope()", ["group", "top"]),
        ("?$filter=atExactScope()", ["group"]),
        (f"?$filter=policyDefinitionId eq '{KEYS_OFF}'", []),
    ]:
        path = f"{GROUP}/{AUTHORIZATION}/policyAssignments{query}"
        found = await rig.ask("GET", path, version=VERSION)
        assert sorted(each["name"] for each in found.body["value"]) == sorted(names)
    await rig.ask("DELETE", f"{ACCOUNTS}/alpha")
    left = await rig.ask("GET", f"{SCOPE}/{AUTHORIZATION}/policyAssignments", version=VERSION)
    assert sorted(each["name"] for each in left.body["value"]) == ["group", "top"]
    assert len(rig.policies.policies.bound) == 2


@pytest.mark.parametrize(
    ("definition", "more", "code"),
    [
        (f"{BUILT_IN}/none", {}, "PolicyDefinitionNotFound"),
        (APPROVED, {}, "MissingPolicyParameter"),
        (APPROVED, {"parameters": {"allowedModels": "o1"}}, "InvalidPolicyParameterType"),
        (KEYS_AUDIT, {"parameters": {"effect": "Modify"}}, "PolicyParameterValueNotAllowed"),
        (KEYS_AUDIT, {"parameters": {"other": 1}}, "UndefinedPolicyParameter"),
        (KEYS_AUDIT, {"notScopes": ["/subscriptions/x"]}, "InvalidPolicyAssignmentNotScopes"),
        (KEYS_AUDIT, {"overrides": [{"kind": "policyEffect"}]}, "InvalidPolicyAssignmentOverride"),
        (
            KEYS_AUDIT,
            {"resourceSelectors": [{"selectors": [{"kind": "moon", "in": []}]}]},
            "InvalidPolicyAssignmentSelector",
        ),
        (KEYS_AUDIT, {"enforcementMode": "Perhaps"}, "InvalidRequestContent"),
        (KEYS_AUDIT, {"overrides": [7]}, "InvalidRequestContent"),
    ],
)
async def test_assignments_are_refused(
    rig: Governed, definition: str, more: dict[str, Any], code: str
) -> None:
    """With Azure's codes; nothing is assigned."""
    answer = await rig.assign("bad", definition, **more)
    assert (answer.status in (400, 404), answer.body["code"]) == (True, code)
    assert rig.policies.policies.bound == ()


async def test_initiatives_are_refused_for_what_they_give_their_members(rig: Governed) -> None:
    """Members must be there and take what they are given."""
    path = f"{SCOPE}/{AUTHORIZATION}/policySetDefinitions/many"
    effect = {"effect": {"value": "[parameters('effect')]"}}
    for member, code in [
        ({"policyDefinitionId": f"{BUILT_IN}/none"}, "PolicyDefinitionNotFound"),
        ({"policyDefinitionId": APPROVED}, "MissingPolicyParameter"),
        (
            {"policyDefinitionId": KEYS_AUDIT, "parameters": {"x": {"value": "[utcNow()]"}}},
            "UndefinedPolicyParameter",
        ),
        ({}, "InvalidPolicySetDefinition"),
    ]:
        body = {"properties": {"policyDefinitions": [member]}}
        answer = await rig.ask("PUT", path, body, version=VERSION)
        found = [answer.body["code"], *(each["code"] for each in answer.body["details"])]
        assert code in found
    body = {
        "properties": {
            "parameters": {"effect": {"type": "String", "defaultValue": "Deny"}},
            "policyDefinitions": [{"policyDefinitionId": KEYS_AUDIT, "parameters": effect}],
        }
    }
    made = await rig.ask("PUT", path, body, version=VERSION)
    assert made.status == 201
    (member,) = made.body["properties"]["policyDefinitions"]
    assert member["policyDefinitionReferenceId"]
    await rig.assign("many", path, SCOPE)
    assert (await rig.ask("PUT", f"{ACCOUNTS}/beta", ACCOUNT)).status == 403


async def test_queries_narrow_order_and_page(rig: Governed) -> None:
    """`$filter`, `$orderby`, `$select`, `$top` and the details of an evaluation."""
    await rig.assign("keys", KEYS_AUDIT, SCOPE)
    await rig.assign("only", APPROVED, SCOPE, parameters={"allowedModels": ["gpt-4o"]})
    assert len(await rig.states()) == 2
    (failing,) = await rig.states(query="?$filter=complianceState eq 'NonCompliant'")
    assert failing["policyAssignmentName"] == "keys"
    (passing,) = await rig.states(query="?$filter=isCompliant eq true and resourceGroup ne 'x'")
    assert passing["policyAssignmentName"] == "only"
    ordered = await rig.states(query="?$orderby=policyAssignmentName desc&$select=resourceType")
    assert [each["resourceType"] for each in ordered] == [f"{TYPE}/deployments", TYPE]
    assert "resourceId" not in ordered[0]
    (first,) = await rig.states(query="?$top=1&$expand=PolicyEvaluationDetails")
    assert first["policyEvaluationDetails"]["evaluatedExpressions"][0]["expression"] == "type"
    for scope, count in [
        (f"{ACCOUNTS}/alpha", 2),
        (f"{ACCOUNTS}/alpha/deployments/old", 1),
        (f"{SCOPE}/{AUTHORIZATION}/policyAssignments/keys", 1),
        (f"{SCOPE}/{AUTHORIZATION}/policyDefinitions/none", 0),
    ]:
        assert len(await rig.states(scope)) == count
    for query in ("?$filter=a gt 1", "?$apply=aggregate()", "?$orderby=a b c", "?$top=x"):
        path = f"{SCOPE}/{INSIGHTS}/queryResults{query}"
        assert (await rig.ask("POST", path, version="2019-10-01")).status == 400


async def test_pages_come_to_what_top_wants_in_all(
    rig: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However short the pages are."""
    monkeypatch.setattr(states, "PAGE", 1)
    for name in ("one", "two", "three"):
        await rig.assign(name, KEYS_AUDIT, SCOPE)
    link, found = f"{SCOPE}/{INSIGHTS}/queryResults?$top=2", list[str]()
    while link:
        answer = await rig.ask("POST", link, version="2019-10-01")
        found += [each["policyAssignmentName"] for each in answer.body["value"]]
        following = answer.body["@odata.nextLink"] or ""
        link = f"{SCOPE}/{INSIGHTS}/queryResults?{unquote(following.partition('?')[2])}"
        if not following:
            break
    assert len(found) == len(set(found)) == 2


async def test_a_summary_counts_the_worst_state_of_each_resource(rig: Governed) -> None:
    """In all and for each assignment."""
    await rig.assign("keys", KEYS_AUDIT, SCOPE)
    await rig.assign("link", PRIVATE_LINK, SCOPE)
    path = f"{SCOPE}/{INSIGHTS}/summarize"
    answer = await rig.ask("POST", path, version="2019-10-01")
    (summary,) = answer.body["value"]
    assert summary["results"]["nonCompliantResources"] == 1
    assert summary["results"]["nonCompliantPolicies"] == 2
    assert [
        each["policyAssignmentId"].rpartition("/")[2] for each in summary["policyAssignments"]
    ] == ["keys", "link"]
    scan = f"{SCOPE}/{INSIGHTS}/triggerEvaluation"
    assert (await rig.ask("POST", scan, version="2019-10-01")).status == 200


async def test_what_can_not_be_read_stops_writes(
    rig: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody writes past policies that are unknown; reading them anew ends it."""
    await rig.assign("keys", KEYS_AUDIT, SCOPE)

    async def broken(*_: object) -> list[Any]:
        raise OSError("no disk")

    with monkeypatch.context() as patched:
        patched.setattr(rig.resources, "list_under", broken)
        with pytest.raises(OSError, match="no disk"):
            await rig.policies.refresh()
    with pytest.raises(PoliciesUnknown):
        _ = rig.policies.policies
    assert (await rig.ask("PUT", f"{ACCOUNTS}/beta", ACCOUNT)).status == 503
    await rig.policies.refresh()
    assert (await rig.ask("PUT", f"{ACCOUNTS}/beta", ACCOUNT)).status == 201


def test_full_names() -> None:
    """Names with those of the resources around."""
    assert full_name(f"{ACCOUNTS}/a/deployments/d") == "a/d"
    assert full_name(GROUP) == "rg"


async def test_roles_decide_who_governs(rig: Governed) -> None:
    """Resource Policy Contributor does, a Contributor does not, a Reader may ask how things stand.

    An exemption takes the right to exempt where the policy was assigned.
    """
    await rig.assign("only", APPROVED, SCOPE, parameters={"allowedModels": ["o1"]})
    roles = [
        ("36243c78-bf99-498c-9df9-86d9f8d28608", "governor", SCOPE),
        ("36243c78-bf99-498c-9df9-86d9f8d28608", "local", GROUP),
        ("b24988ac-6180-42a0-ab88-20f7382dd24c", "builder", SCOPE),
        ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "reader", SCOPE),
    ]
    for role, name, scope in roles:
        await assign(rig, role, name, scope)
    keys = f"{GROUP}/{AUTHORIZATION}/policyAssignments/keys"
    free = f"{GROUP}/{AUTHORIZATION}/policyExemptions/free"
    states = f"{SCOPE}/{INSIGHTS}/queryResults"
    assigning = {"properties": {"policyDefinitionId": KEYS_AUDIT}}
    told = {
        "policyAssignmentId": f"{SCOPE}/{AUTHORIZATION}/policyAssignments/only",
        "exemptionCategory": "Waiver",
    }
    asked = [
        ("PUT", keys, assigning, VERSION, ["governor", "local"]),
        ("PUT", free, {"properties": told}, "2022-07-01-preview", ["governor"]),
        ("POST", states, None, "2019-10-01", ["governor", "builder", "reader"]),
        ("GET", KEYS_OFF, None, VERSION, ["governor", "local", "builder", "reader"]),
    ]
    for method, path, body, version, allowed in asked:
        for name in ("builder", "reader", "local", "governor"):
            answer = await rig.ask(method, path, body, version=version, caller=person(name))
            assert (answer.status < 400) == (name in allowed), (path, name, answer.body)
