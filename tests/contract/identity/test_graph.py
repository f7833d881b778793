"""The directory as `az ad` and role assignments ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contract.identity.conftest import App, SignIn

NOBODY = "00000000-0000-0000-0000-00000000beef"


def test_az_finds_what_roles_are_assigned_to(sign_in: SignIn, app: App) -> None:
    """By client id, by one of a service principal's names, by object ids."""
    by_name = f"servicePrincipalNames/any(c:c eq '{app.app_id}')"
    found = sign_in.graph("GET", f"/servicePrincipals?$filter={by_name}")["value"]
    assert [each["id"] for each in found] == [app.principal_id]
    assert sign_in.graph("GET", f"/servicePrincipals(appId='{app.app_id}')")["id"] == found[0]["id"]
    asked = {"ids": [app.principal_id, NOBODY], "types": ["servicePrincipal", "user"]}
    listed = sign_in.graph("POST", "/directoryObjects/getByIds", asked)["value"]
    assert [each["@odata.type"] for each in listed] == ["#microsoft.graph.servicePrincipal"]
    assert sign_in.graph("GET", "/organization")["value"][0]["id"] == sign_in.tenant


def test_groups_reach_into_tokens_by_way_of_other_groups(sign_in: SignIn) -> None:
    """The claim `groups` has every group; a circle of groups does no harm."""
    app = sign_in.new_app("in groups")
    inner, outer = (
        sign_in.graph("POST", "/groups", {"displayName": name, "mailNickname": name})["id"]
        for name in ("inner", "outer")
    )
    for group, member in ((inner, app.principal_id), (outer, inner), (inner, outer)):
        reference = {"@odata.id": f"{sign_in.url}/v1.0/directoryObjects/{member}"}
        sign_in.graph("POST", f"/groups/{group}/members/$ref", reference, 204)
    direct = sign_in.graph("GET", f"/servicePrincipals/{app.principal_id}/memberOf")["value"]
    assert [each["id"] for each in direct] == [inner]
    path = f"/servicePrincipals/{app.principal_id}/getMemberGroups"
    assert set(sign_in.graph("POST", path)["value"]) == {inner, outer}
    sign_in.graph("DELETE", f"/groups/{outer}", status=204)
    assert sign_in.graph("POST", path)["value"] == [inner]


def test_pages_are_followed(sign_in: SignIn, app: App) -> None:
    """A list longer than `$top` has a link to its rest."""
    sign_in.new_app("another")
    first = sign_in.graph("GET", "/applications?$top=1&$count=true")
    assert len(first["value"]) == 1
    link = first["@odata.nextLink"].removeprefix(f"{sign_in.url}/v1.0")
    second = sign_in.graph("GET", link)
    assert second["value"][0]["id"] != first["value"][0]["id"]
    assert first["@odata.count"] >= 2
    assert app.secret not in str(sign_in.graph("GET", "/applications"))


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", f"/applications/{NOBODY}", None, 404, "Request_ResourceNotFound"),
        ("GET", "/users?$filter=x lt 3", None, 400, "Request_BadRequest"),
        ("GET", "/users?$top=many", None, 400, "Request_BadRequest"),
        ("POST", "/applications", {}, 400, "Request_BadRequest"),
        ("POST", "/applications", {"displayName": 3}, 400, "Request_BadRequest"),
        ("POST", "/applications", [], 400, "Request_BadRequest"),
        ("POST", "/servicePrincipals", {"appId": NOBODY}, 400, "NoBackingApplicationObject"),
        ("POST", "/users", {"displayName": "x", "userPrincipalName": "x"}, 400, None),
        ("POST", f"/groups/{NOBODY}/members/$ref", {"@odata.id": "x"}, 404, None),
    ],
)
def test_refusals_are_graphs(
    sign_in: SignIn, method: str, path: str, body: object, status: int, code: str | None
) -> None:
    """Status, code, and a message with the ids of the request."""
    error = sign_in.graph(method, path, body, status)["error"]
    assert error["code"] == (code or error["code"])
    assert error["message"]
    assert error["innerError"]["request-id"]


def test_the_directory_opens_for_nobody_else(sign_in: SignIn, app: App) -> None:
    """No credential, a wrong one, a token for another resource, one without any role."""
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eDp5"}):
        answer = sign_in.ask("GET", "/v1.0/users", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    for scope, status in (
        ("https://cognitiveservices.azure.com/.default", 401),
        ("https://graph.microsoft.com/.default", 403),
    ):
        form = {"client_id": app.app_id, "client_secret": app.secret, "scope": scope}
        token = sign_in.token(grant_type="client_credentials", **form).json()["access_token"]
        answer = sign_in.ask("GET", "/v1.0/users", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == status, answer.text


def test_clouds_are_discovered(sign_in: SignIn, app: App) -> None:
    """From `/metadata/endpoints` to a token, by nothing but what each document names."""
    cloud = sign_in.ask("GET", "/metadata/endpoints?api-version=2022-09-01").json()
    login = cloud["authentication"]["loginEndpoint"]
    tenant = cloud["authentication"]["tenant"]
    path = f"{login}/{tenant}/v2.0/.well-known/openid-configuration"
    document = sign_in.ask("GET", path).json()
    scope = f"{cloud['authentication']['audiences'][0]}/.default"
    form = {
        "grant_type": "client_credentials",
        "client_id": app.app_id,
        "client_secret": app.secret,
        "scope": scope,
    }
    answer = sign_in.ask("POST", document["token_endpoint"], data=form)
    assert answer.status_code == 200, answer.text
    instance = sign_in.ask("GET", "/common/discovery/instance?api-version=1.1").json()
    assert instance["tenant_discovery_endpoint"] == path
