"""Microsoft.Authorization on the control plane, and what callers without the key may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.controlplane.resources.template_deployments import deployer
from linarite.controlplane.resources.template_deployments.deployer import TemplateDeployer
from tests.controlplane.people import (
    ASSIGNMENTS,
    CONTRIBUTOR,
    FOUNDRY_USER,
    OPENAI_USER,
    OWNER,
    PROJECT_MANAGER,
    READER,
    ROLES,
    assign,
    assignment,
    object_id,
    person,
)
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, DEPLOYMENT, GROUP, SUBSCRIPTION, Rig

if TYPE_CHECKING:
    from linarite.controlplane.caller import Caller
    from linarite.controlplane.request import Answer

pytestmark = pytest.mark.anyio

SUB = f"/subscriptions/{SUBSCRIPTION}"
ONE = f"{ACCOUNTS}/one"
TWO = f"{ACCOUNTS}/two"
LOCKS = "providers/Microsoft.Authorization/locks"
DENIALS = "providers/Microsoft.Authorization/denyAssignments"
EVERYBODY = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
ANN, BOB = person("ann", "staff"), person("bob")
GUID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
async def rig() -> Rig:
    """Two accounts in a group; one has a deployment."""
    rig = await Rig().with_group()
    await rig.access.refresh()
    for account in (ONE, TWO):
        assert (await rig.ask("PUT", account, ACCOUNT)).status == 201
    assert (await rig.ask("PUT", f"{ONE}/deployments/d", DEPLOYMENT)).status == 201
    await rig.end_jobs()
    return rig


def code(answer: Answer) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status, answer.body["code"]


async def test_a_role_opens_from_its_assignment_to_its_removal(rig: Rig) -> None:
    """ARM's text names client, object id, action and scope."""
    refused = await rig.ask("GET", ONE, caller=ANN)
    assert code(refused) == (403, "AuthorizationFailed")
    assert refused.body["message"] == (
        f"The client 'ann' with object id '{object_id('ann')}' does not have authorization to "
        f"perform action 'Microsoft.CognitiveServices/accounts/read' over scope '{ONE}' or the "
        "scope is invalid. If access was recently granted, please refresh your credentials."
    )
    path = await assign(rig, READER, "ann", ONE)
    assert (await rig.ask("GET", ONE, caller=ANN)).status == 200
    assert (await rig.ask("GET", f"{ONE}/deployments/d", caller=ANN)).status == 200
    assert (await rig.ask("GET", TWO, caller=ANN)).status == 403
    assert (await rig.ask("PATCH", ONE, {"tags": {}}, caller=ANN)).status == 403
    keys = await rig.ask("POST", f"{ONE}/listKeys", caller=ANN)
    assert f"accounts/listKeys/action' over scope '{ONE}'" in keys.body["message"]
    gone = await rig.ask("DELETE", path)
    assert gone.status == 200
    assert gone.body["properties"]["principalId"] == object_id("ann")
    assert (await rig.ask("GET", ONE, caller=ANN)).status == 403
    assert (await rig.ask("DELETE", path)).status == 204


async def test_an_assignment_is_shown_as_azure_shows_it(rig: Rig) -> None:
    """Ids as this server writes them, the scope always told, the same under another case."""
    path = f"{ONE}/{ASSIGNMENTS}/{GUID}"
    made = await rig.ask("PUT", path, assignment(OPENAI_USER.upper(), "ann"))
    assert made.status == 201
    properties = made.body["properties"]
    assert made.body["id"] == path
    assert made.body["type"] == "Microsoft.Authorization/roleAssignments"
    assert properties["scope"] == ONE
    assert properties["roleDefinitionId"] == f"{SUB}/{ROLES}/{OPENAI_USER}"
    assert properties["createdBy"] == "management-key"
    again = await rig.ask("PUT", path.upper(), assignment(OPENAI_USER, "ann"), version="2022-04-01")
    assert again.status == 200
    assert again.body == made.body
    described = assignment(OPENAI_USER, "ann", description="for tests")
    assert (await rig.ask("PUT", path, described)).body["properties"]["description"] == "for tests"


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "/providers/Microsoft.Management/managementGroups/t",
        SUB,
        GROUP,
        ONE,
        f"{ONE}/deployments/d",
    ],
)
async def test_every_scope_takes_assignments(rig: Rig, scope: str) -> None:
    """From the tenant down to a deployment, and what they grant reaches what lies below."""
    path = await assign(rig, READER, "ann", scope)
    shown = await rig.ask("GET", path, caller=ANN)
    assert shown.status == 200
    assert shown.body["properties"]["scope"] == (scope or "/")
    assert (await rig.ask("GET", f"{ONE}/deployments/d", caller=ANN)).status == 200
    assert (await rig.ask("GET", GROUP, caller=ANN)).status == (403 if ONE in scope else 200)


@pytest.mark.parametrize(
    ("scope", "status", "error"),
    [
        ("/subscriptions/other", 404, "SubscriptionNotFound"),
        (f"{SUB}/resourceGroups/none", 404, "ResourceGroupNotFound"),
        (f"{ACCOUNTS}/none", 404, "ParentResourceNotFound"),
        ("/providers/Microsoft.Management/managementGroups/x", 404, "NotFound"),
    ],
)
async def test_a_scope_must_be_there(rig: Rig, scope: str, status: int, error: str) -> None:
    """As any parent must."""
    answer = await rig.ask("PUT", f"{scope}/{ASSIGNMENTS}/{GUID}", assignment(READER, "ann"))
    assert code(answer) == (status, error)


@pytest.mark.parametrize(
    ("more", "status", "error"),
    [
        ({"roleDefinitionId": f"/{ROLES}/{GUID}"}, 404, "RoleDefinitionDoesNotExist"),
        ({"principalId": "ann@example.com"}, 400, "InvalidPrincipalId"),
        ({"principalType": "Robot"}, 400, "InvalidPrincipalType"),
        ({"principalType": ""}, 400, "PrincipalNotFound"),
        ({"condition": "true", "conditionVersion": "2.0"}, 400, "InvalidCondition"),
        ({"condition": "ActionMatches{'*'}"}, 400, "InvalidConditionVersion"),
    ],
)
async def test_what_cant_be_assigned_is_refused(
    rig: Rig, more: dict[str, str], status: int, error: str
) -> None:
    """In Azure's codes."""
    answer = await rig.ask("PUT", f"{ONE}/{ASSIGNMENTS}/{GUID}", assignment(READER, "ann", **more))
    assert code(answer) == (status, error)


async def test_an_assignment_is_made_once_and_stays_what_it_is(rig: Rig) -> None:
    """The same under another name is a conflict, another role under the same name no update."""
    path = await assign(rig, READER, "ann", ONE)
    twice = await rig.ask("PUT", f"{ONE}/{ASSIGNMENTS}/{GUID}", assignment(READER, "ann"))
    assert code(twice) == (409, "RoleAssignmentExists")
    assert path.rpartition("/")[2].replace("-", "") in twice.body["message"]
    other = await rig.ask("PUT", path, assignment(OWNER, "ann"))
    assert code(other) == (400, "RoleAssignmentUpdateNotPermitted")
    assert (await rig.ask("PUT", f"{ONE}/{ASSIGNMENTS}/no", {})).status == 400


async def listed(rig: Rig, path: str, **more: Any) -> list[str]:  # noqa: ANN401 - as `ask`
    """The names in a list's only page."""
    answer = await rig.ask("GET", path, **more)
    assert answer.status == 200, answer.body
    return [each["name"] for each in answer.body["value"]]


async def test_lists_tell_what_counts_around_and_below(rig: Rig) -> None:
    """And filters narrow them."""
    above = (await assign(rig, READER, "ann", SUB)).rpartition("/")[2]
    here = (await assign(rig, READER, "ann", ONE)).rpartition("/")[2]
    other = (await assign(rig, READER, "bob", ONE)).rpartition("/")[2]
    below = (await assign(rig, READER, "ann", f"{ONE}/deployments/d")).rpartition("/")[2]
    assert set(await listed(rig, f"{ONE}/{ASSIGNMENTS}")) == {above, here, other, below}
    assert set(await listed(rig, f"{TWO}/{ASSIGNMENTS}")) == {above}
    at = f"{ONE}/{ASSIGNMENTS}?$filter=atScope()"
    assert set(await listed(rig, at)) == {above, here, other}
    ann = f"{ONE}/{ASSIGNMENTS}?$filter=atScope() and principalId eq '{object_id('ann')}'"
    assert set(await listed(rig, ann)) == {above, here}
    to = f"{SUB}/{ASSIGNMENTS}?$filter=assignedTo('{object_id('bob')}')"
    assert await listed(rig, to) == [other]
    wrong = await rig.ask("GET", f"{SUB}/{ASSIGNMENTS}?$filter=color eq 'red'")
    assert code(wrong) == (400, "InvalidFilterInQueryString")


async def test_lists_hide_what_their_caller_may_not_read(rig: Rig) -> None:
    """At every level; whoever may read nothing of it is refused."""
    await assign(rig, OPENAI_USER, "ann", ONE)
    assert await listed(
        rig, f"{SUB}/providers/Microsoft.CognitiveServices/accounts", caller=ANN
    ) == ["one"]
    assert await listed(rig, ACCOUNTS, caller=ANN) == ["one"]
    assert await listed(rig, f"{SUB}/resources", caller=ANN) == ["one"]
    assert await listed(rig, f"{ONE}/deployments", caller=ANN) == ["d"]
    seen = await rig.ask("GET", "/subscriptions?api-version=2022-12-01", caller=ANN)
    assert [each["subscriptionId"] for each in seen.body["value"]] == [SUBSCRIPTION]
    unseen = await rig.ask("GET", "/subscriptions?api-version=2022-12-01", caller=BOB)
    assert unseen.body["value"] == []
    assert (await rig.ask("GET", f"{SUB}?api-version=2022-12-01", caller=BOB)).status == 403
    for path in (ACCOUNTS, f"{SUB}/resourceGroups", f"{SUB}/resources", f"{ONE}/{ASSIGNMENTS}"):
        assert (await rig.ask("GET", path, caller=BOB)).status == 403, path
    assert len(await listed(rig, f"{ONE}/{ASSIGNMENTS}", caller=ANN)) == 1


async def test_a_role_of_ones_own(rig: Rig) -> None:
    """Made, found at any scope, listed, assigned, and kept while somebody has it."""
    path = f"{GROUP}/{ROLES}/{GUID}"
    role = {
        "properties": {
            "roleName": "Reader of accounts",
            "assignableScopes": [GROUP],
            "permissions": [{"actions": ["Microsoft.CognitiveServices/accounts/read"]}],
        }
    }
    made = await rig.ask("PUT", path, role)
    assert made.status == 201
    assert made.body["id"] == f"{SUB}/{ROLES}/{GUID}"
    assert made.body["properties"]["type"] == "CustomRole"
    assert made.body["properties"]["permissions"][0]["notDataActions"] == []
    assert (await rig.ask("GET", f"/{ROLES}/{GUID}")).body == made.body
    named = "$filter=roleName eq 'reader OF accounts'"
    assert await listed(rig, f"{ONE}/{ROLES}?{named}") == [GUID]
    assert await listed(rig, f"{SUB}/{ROLES}?{named}") == []
    assert await listed(rig, f"{SUB}/{ROLES}?{named} and atScopeAndBelow()") == [GUID]
    assert len(await listed(rig, f"{SUB}/{ROLES}?$filter=type eq 'BuiltInRole'")) >= 18
    assignment_path = await assign(rig, GUID, "ann", GROUP)
    assert (await rig.ask("GET", TWO, caller=ANN)).status == 200
    kept = await rig.ask("DELETE", path)
    assert code(kept) == (400, "RoleDefinitionHasAssignments")
    outside = await rig.ask("PUT", f"{SUB}/{ASSIGNMENTS}/{GUID}", assignment(GUID, "bob"))
    assert code(outside) == (400, "RoleAssignmentScopeNotAssignableToRoleDefinition")
    await rig.ask("DELETE", assignment_path)
    assert (await rig.ask("DELETE", path)).status == 200
    assert (await rig.ask("GET", path)).status == 404


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"roleName": "owner"}, "RoleDefinitionWithSameNameExists"),
        ({"roleName": ""}, "InvalidRoleDefinitionName"),
        ({"assignableScopes": []}, "MissingAssignableScopes"),
        ({"assignableScopes": ["/"]}, "InvalidAssignableScope"),
        ({"assignableScopes": ["/subscriptions/other"]}, "InvalidAssignableScope"),
        ({"permissions": []}, "InvalidPermissions"),
        ({"permissions": [{"actions": ["a b"]}]}, "InvalidActionOrNotAction"),
        ({"permissions": [{"actions": "*"}]}, "InvalidRequestContent"),
    ],
)
async def test_a_role_that_cant_be(rig: Rig, more: dict[str, Any], error: str) -> None:
    """Each with its code."""
    role = {"roleName": "R", "assignableScopes": [SUB], "permissions": [{"actions": ["*"]}]}
    answer = await rig.ask("PUT", f"{SUB}/{ROLES}/{GUID}", {"properties": role | more})
    assert answer.body["code"] == error


async def test_built_in_roles_stay(rig: Rig) -> None:
    """Neither changed nor deleted."""
    path = f"{SUB}/{ROLES}/{OWNER}"
    owner = await rig.ask("GET", path)
    assert owner.body["properties"]["permissions"][0]["actions"] == ["*"]
    role = {"roleName": "Mine", "assignableScopes": [SUB], "permissions": [{"actions": ["*"]}]}
    assert code(await rig.ask("PUT", path, {"properties": role})) == (
        409,
        "RoleDefinitionIsBuiltIn",
    )
    assert code(await rig.ask("DELETE", path)) == (409, "RoleDefinitionIsBuiltIn")


async def test_roles_are_written_by_who_may_at_all_their_scopes(rig: Rig) -> None:
    """An owner of a group can't widen what reaches beyond it, nor delete it."""
    await assign(rig, OWNER, "ann", GROUP)
    role: dict[str, Any] = {
        "roleName": "R",
        "assignableScopes": [GROUP],
        "permissions": [{"actions": ["*/read"]}],
    }
    path = f"{GROUP}/{ROLES}/{GUID}"
    assert (await rig.ask("PUT", path, {"properties": role}, caller=ANN)).status == 201
    wide = {"properties": role | {"assignableScopes": [GROUP, SUB]}}
    refused = await rig.ask("PUT", path, wide, caller=ANN)
    assert code(refused) == (403, "LinkedAuthorizationFailed")
    assert (await rig.ask("PUT", path, wide)).status == 200
    for method, body in (("PUT", {"properties": role}), ("DELETE", None)):
        answer = await rig.ask(method, path, body, caller=ANN)
        assert code(answer) == (403, "LinkedAuthorizationFailed")


async def test_contributors_assign_nothing_and_owners_do(rig: Rig) -> None:
    """Contributor's notActions; a group's role counts for its members."""
    await assign(rig, CONTRIBUTOR, "staff", SUB, principalType="Group")
    assert (await rig.ask("PATCH", ONE, {"tags": {"a": "1"}}, caller=ANN)).status == 200
    path = f"{ONE}/{ASSIGNMENTS}/{GUID}"
    refused = await rig.ask("PUT", path, assignment(READER, "bob"), caller=ANN)
    assert code(refused) == (403, "AuthorizationFailed")
    await assign(rig, OWNER, "ann", ONE)
    made = await rig.ask("PUT", path, assignment(READER, "bob"), caller=ANN)
    assert made.status == 201
    assert made.body["properties"]["createdBy"] == "ann"


async def test_who_may_assign_some_roles_assigns_no_others(rig: Rig) -> None:
    """Foundry's project manager: the condition looks into the request and at what is there."""
    await assign(rig, PROJECT_MANAGER, "ann", ONE)
    path = f"{ONE}/{ASSIGNMENTS}/{GUID}"
    refused = await rig.ask("PUT", path, assignment(OWNER, "ann"), caller=ANN)
    assert code(refused) == (403, "AuthorizationFailed")
    assert (await rig.ask("PUT", path, {}, caller=ANN)).status == 403
    made = await rig.ask("PUT", path, assignment(FOUNDRY_USER, "bob"), caller=ANN)
    assert made.status == 201
    assert (await rig.ask("DELETE", path, caller=ANN)).status == 200
    owner = await assign(rig, OWNER, "bob", ONE)
    assert code(await rig.ask("DELETE", owner, caller=ANN)) == (403, "AuthorizationFailed")


async def test_a_deny_assignment_beats_an_owner(rig: Rig) -> None:
    """But not whoever is spared, nor the management key."""
    await assign(rig, OWNER, "ann", SUB)
    await assign(rig, OWNER, "bob", SUB)
    denial = {
        "properties": {
            "denyAssignmentName": "no keys",
            "permissions": [{"actions": ["*/listKeys/action"]}],
            "principals": [EVERYBODY],
            "excludePrincipals": [{"id": object_id("bob"), "type": "User"}],
        }
    }
    path = f"{GROUP}/{DENIALS}/{GUID}"
    made = await rig.ask("PUT", path, denial)
    assert made.status == 201
    assert made.body["properties"]["scope"] == GROUP
    assert (await rig.ask("POST", f"{ONE}/listKeys", caller=ANN)).status == 403
    assert (await rig.ask("POST", f"{ONE}/listKeys", caller=BOB)).status == 200
    assert (await rig.ask("POST", f"{ONE}/listKeys")).status == 200
    assert await listed(rig, f"{ONE}/{DENIALS}?$filter=atScope()") == [GUID]
    assert (await rig.ask("DELETE", path)).status == 200
    assert (await rig.ask("POST", f"{ONE}/listKeys", caller=ANN)).status == 200


async def test_locks_hold_against_everybody(rig: Rig) -> None:
    """A deletion takes along what is locked below; read-only stops writes and actions."""
    keep = f"{ONE}/{LOCKS}/keep"
    assert (await rig.ask("PUT", keep, {"properties": {"level": "cannotdelete"}})).status == 201
    for path in (ONE, GROUP, f"{ONE}/deployments/d"):
        refused = await rig.ask("DELETE", path)
        assert code(refused) == (409, "ScopeLocked")
        assert refused.body["message"] == (
            f"The scope '{path}' cannot perform delete operation because following scope(s) are "
            f"locked: '{ONE}'. Please remove the lock and try again."
        )
    assert (await rig.ask("PATCH", ONE, {"tags": {"a": "1"}})).status == 200
    freeze = f"{GROUP}/{LOCKS}/freeze"
    assert (await rig.ask("PUT", freeze, {"properties": {"level": "ReadOnly"}})).status == 201
    for method, path in (("PATCH", ONE), ("POST", f"{ONE}/listKeys"), ("PUT", f"{ACCOUNTS}/new")):
        refused = await rig.ask(method, path, ACCOUNT if method == "PUT" else {})
        assert code(refused) == (409, "ScopeLocked")
    assert (await rig.ask("GET", ONE)).status == 200
    assert set(await listed(rig, f"{GROUP}/{LOCKS}")) == {"keep", "freeze"}
    for lock in (freeze, keep):
        assert (await rig.ask("DELETE", lock)).status == 200
    assert (await rig.ask("DELETE", f"{ONE}/deployments/d")).status == 200
    bad = await rig.ask("PUT", keep, {"properties": {"level": "Loose"}})
    assert code(bad) == (400, "InvalidLockLevel")


async def test_who_asks_is_told_what_they_may(rig: Rig) -> None:
    """The permissions of each role, at any scope."""
    await assign(rig, READER, "ann", GROUP)
    path = f"{ONE}/providers/Microsoft.Authorization/permissions"
    assert (await rig.ask("GET", path, caller=ANN)).body["value"] == [
        {"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}
    ]
    assert (await rig.ask("GET", path, caller=BOB)).body["value"] == []
    assert (await rig.ask("GET", path)).body["value"][0]["dataActions"] == ["*"]


async def test_the_tenant_has_one_management_group(rig: Rig) -> None:
    """It holds the subscription."""
    groups = "/providers/Microsoft.Management/managementGroups"
    version = "api-version=2020-05-01"
    assert await listed(rig, f"{groups}?{version}") == ["t"]
    assert await listed(rig, f"{groups}?{version}", caller=BOB) == []
    found = await rig.ask("GET", f"{groups}/t?{version}&$expand=children")
    assert found.body["properties"]["children"][0]["name"] == SUBSCRIPTION
    assert await listed(rig, f"{groups}/t/descendants?{version}") == [SUBSCRIPTION]
    assert (await rig.ask("GET", f"{groups}/x?{version}")).status == 404
    assert (await rig.ask("GET", f"{groups}/t?{version}", caller=BOB)).status == 403


async def test_an_identity_is_given_by_who_may_assign_it(rig: Rig) -> None:
    """Writing an account is not enough to have it act as somebody else; keeping one is."""
    identity = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/strong"
    await assign(rig, CONTRIBUTOR, "ann", ONE)
    body = ACCOUNT | {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    }
    refused = await rig.ask("PUT", ONE, body, caller=ANN)
    assert code(refused) == (403, "LinkedAuthorizationFailed")
    assert (
        f"userAssignedIdentities/assign/action' on the linked scope(s) '{identity}'"
        in (refused.body["message"])
    )
    patch = {"identity": body["identity"]}
    assert code(await rig.ask("PATCH", ONE, patch, caller=ANN)) == (
        403,
        "LinkedAuthorizationFailed",
    )
    await assign(rig, CONTRIBUTOR, "ann", identity.rpartition("/providers")[0])
    assert (await rig.ask("PATCH", ONE, patch, caller=ANN)).status == 200
    again = body | {"tags": {"a": "1"}}
    assert (await rig.ask("PUT", ONE, again, caller=ANN)).status == 200


async def test_an_operation_is_followed_by_who_may_read_its_resource(rig: Rig) -> None:
    """To others it is not there."""
    await assign(rig, CONTRIBUTOR, "ann", ONE)
    await assign(rig, READER, "bob", TWO)
    made = await rig.ask("PUT", f"{ONE}/deployments/e", DEPLOYMENT, caller=ANN)
    link = made.headers["azure-asyncoperation"].removeprefix("https://here")
    assert (await rig.ask("GET", link, caller=ANN)).status == 200
    assert code(await rig.ask("GET", link, caller=BOB)) == (404, "OperationNotFound")


async def test_a_deleted_account_takes_its_roles_along(rig: Rig) -> None:
    """Recovering it does not bring them back."""
    await assign(rig, READER, "ann", ONE)
    assert (await rig.ask("DELETE", ONE)).status == 200
    recovered = await rig.ask("PUT", ONE, ACCOUNT | {"properties": {"restore": True}})
    assert recovered.status in (200, 201)
    assert (await rig.ask("GET", ONE, caller=ANN)).status == 403


DEPLOYMENTS = f"{GROUP}/providers/Microsoft.Resources/deployments"


def template_of(*resources: dict[str, Any]) -> dict[str, Any]:
    """A request to deploy resources."""
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [*resources],
    }
    return {"properties": {"mode": "Incremental", "template": template}}


def declared(name: str, role: str, to: str) -> dict[str, Any]:
    """A role assignment at an account, as Bicep compiles one."""
    account = "resourceId('Microsoft.CognitiveServices/accounts', 'one')"
    definition = f"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{role}')"
    return {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "scope": "Microsoft.CognitiveServices/accounts/one",
        "name": f"[guid({account}, '{name}', {definition})]",
        "properties": {
            "roleDefinitionId": f"[{definition}]",
            "principalId": object_id(to),
            "principalType": "User",
        },
    }


async def deployed(rig: Rig, body: dict[str, Any], caller: Caller) -> Answer:
    """Ask for a deployment and carry it out, as the worker would."""
    asked = await rig.ask("PUT", f"{DEPLOYMENTS}/t", body, caller=caller)
    if asked.status >= 400:
        return asked
    for job in await rig.jobs.running(""):
        await TemplateDeployer(rig.surface).deploy(job, lambda _share, _doing: None)
    await rig.end_jobs()
    return await rig.ask("GET", f"{DEPLOYMENTS}/t")


async def test_a_template_assigns_roles_as_its_caller(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Bicep writes, at an account's scope; whoever may not assign is told before it begins."""
    monkeypatch.setattr(deployer, "QUICK_S", 0.0)
    extension = {
        "value": "[extensionResourceId(resourceId('Microsoft.CognitiveServices/accounts', 'one'), "
        "'Microsoft.Authorization/roleAssignments', guid('x'))]",
        "type": "string",
    }
    body = template_of(declared("a", READER, "bob"))
    body["properties"]["template"]["outputs"] = {"id": extension}
    await assign(rig, CONTRIBUTOR, "ann", GROUP)
    refused = await deployed(rig, body, ANN)
    assert refused.body["code"] == "InvalidTemplateDeployment"
    assert refused.body["details"][0]["code"] == "AuthorizationFailed"
    what_if = await rig.ask("POST", f"{DEPLOYMENTS}/t/whatIf", body, caller=ANN)
    assert what_if.status == 400
    assert (await rig.ask("GET", ONE, caller=BOB)).status == 403

    await assign(rig, OWNER, "ann", GROUP)
    done = await deployed(rig, body, ANN)
    assert done.body["properties"]["provisioningState"] == "Succeeded", done.body
    assert done.body["properties"]["outputs"]["id"]["value"].startswith(f"{ONE}/{ASSIGNMENTS}/")
    assert (await rig.ask("GET", ONE, caller=BOB)).status == 200
    again = await deployed(rig, body, ANN)
    assert again.body["properties"]["provisioningState"] == "Succeeded"


async def test_a_template_of_who_may_assign_some_roles(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its conditions are asked with the body of each assignment."""
    monkeypatch.setattr(deployer, "QUICK_S", 0.0)
    await assign(rig, PROJECT_MANAGER, "ann", GROUP)
    refused = await deployed(rig, template_of(declared("a", OWNER, "ann")), ANN)
    assert refused.body["details"][0]["code"] == "AuthorizationFailed"
    done = await deployed(rig, template_of(declared("a", FOUNDRY_USER, "bob")), ANN)
    assert done.body["properties"]["provisioningState"] == "Succeeded", done.body


async def test_what_if_tells_nothing_of_what_its_caller_may_not_read(rig: Rig) -> None:
    """Not even that it is there."""
    await assign(rig, READER, "ann", TWO)
    role = {
        "roleName": "Deployer",
        "assignableScopes": [SUB],
        "permissions": [{"actions": ["Microsoft.Resources/deployments/*"]}],
    }
    await rig.ask("PUT", f"{SUB}/{ROLES}/{GUID}", {"properties": role})
    await assign(rig, GUID, "ann", GROUP)
    answer = await rig.ask("POST", f"{DEPLOYMENTS}/t/whatIf", template_of(), caller=ANN)
    told = [each["resourceId"] for each in answer.body["properties"]["changes"]]
    assert TWO in told
    assert not any(each.startswith(ONE) for each in told)
