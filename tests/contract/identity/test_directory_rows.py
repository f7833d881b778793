"""Every row of the directory's table: who gets in, and what a change leaves in the audit log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.signin.graph.routes import GRAPH_ROUTES
from tests.contract.identity.conftest import SCOPE
from tests.forged_tokens import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.identity.conftest import App, SignIn

GRAPH = "https://graph.microsoft.com"
NOBODY = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
EVENTS = f"{SUBSCRIPTION}/providers/Linarite.Operations/auditEvents?api-version=2026-11-01"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
OPEN_TO_ALL = {("GET", "/v1.0/me")}
ROWS = [
    (method, re.sub(r"{\w+}", NOBODY, row.template))
    for row in GRAPH_ROUTES
    for method in row.by_method
]
READS = ("getByIds", "getMemberGroups", "checkMemberGroups")


def token_for(sign_in: SignIn, app: App, scope: str) -> str:
    """An access token of the application."""
    form = {"client_id": app.app_id, "client_secret": app.secret, "scope": scope}
    return str(sign_in.token(grant_type="client_credentials", **form).json()["access_token"])


def events(sign_in: SignIn, **wanted: str) -> list[dict[str, Any]]:
    """What the audit log has, the oldest first."""
    key = sign_in.server.ready["management_key"]
    headers = {"authorization": f"Bearer {key}"}
    query = "".join(f"&{name}={value}" for name, value in wanted.items())
    return sign_in.ask("GET", f"{EVENTS}{query}", headers=headers).json()["value"][::-1]


@pytest.fixture(scope="module")
def client(sign_in: SignIn) -> Iterator[httpx.Client]:
    """One connection for all rows."""
    with httpx.Client(base_url=sign_in.url, verify=sign_in.trust, timeout=60) as made:
        yield made


@pytest.fixture(scope="module")
def nobody(sign_in: SignIn) -> App:
    """An application without any role."""
    return sign_in.new_app("without any role")


def test_no_row_opens_for_nobody(sign_in: SignIn, client: httpx.Client, nobody: App) -> None:
    """No credential, a wrong key, another's tokens, one for another service, one without a role."""
    graph = token_for(sign_in, nobody, f"{GRAPH}/.default")
    bearers = {
        "no credential": ("", 401),
        "wrong key": ("wrong", 401),
        "an account's key": (sign_in.server.key, 401),
        "expired": (GOOD.token(aud=GRAPH, exp=1_700_000_000), 401),
        "another issuer's": (GOOD.token(aud=GRAPH), 401),
        "forged": (f"{graph[:-6]}AAAAAA", 401),
        "other audience": (token_for(sign_in, nobody, SCOPE), 401),
        "no role": (graph, 403),
    }
    assert len(ROWS) > 40
    for method, path in ROWS:
        for name, (bearer, status) in bearers.items():
            headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
            body = {} if method in {"POST", "PATCH"} else None
            answer = client.request(method, path, headers=headers, json=body)
            if name == "no role" and (method, path) in OPEN_TO_ALL:
                assert answer.status_code == 400
                continue
            assert answer.status_code == status, (method, path, name, answer.text)


def test_every_change_leaves_two_events(sign_in: SignIn, client: httpx.Client) -> None:
    """Of each row that changes something: who, what, on what; and never what was sent."""
    key = str(sign_in.server.ready["management_key"])
    changing = [(m, p) for m, p in ROWS if m != "GET" and not p.endswith(READS)]
    for method, path in changing:
        answer = client.request(
            method,
            path,
            headers={"authorization": f"Bearer {key}"},
            json={"displayName": "not-to-be-kept"} if method in {"POST", "PATCH"} else None,
        )
        told = events(sign_in, requestid=answer.headers["x-ms-request-id"])
        failed = answer.status_code >= 400
        outcomes = ["Started", "Failed" if failed else "Succeeded"]
        assert [each["outcome"] for each in told] == outcomes, (method, path)
        for each in told:
            assert each["category"] == "Directory"
            assert each["action"].startswith("Microsoft.Directory/")
            assert each["resource_id"].startswith("/providers/Microsoft.Directory/")
            assert (each["principal"], each["decided_by"]) == ("management-key", "key")
            assert "not-to-be-kept" not in str(each)


def test_a_persons_life_is_told(sign_in: SignIn, nobody: App) -> None:
    """Made, given a password, put into a group, and what somebody was refused."""
    named = {"displayName": "Grace", "userPrincipalName": "hopper@example.org"}
    grace = sign_in.graph("POST", "/users", named)["id"]
    team = {"displayName": "told", "mailNickname": "told"}
    group = sign_in.graph("POST", "/groups", team)["id"]
    password = {"passwordProfile": {"password": "never told to anybody"}}
    sign_in.graph("PATCH", "/users/hopper@example.org", password, 204)
    reference = {"@odata.id": f"{sign_in.url}/v1.0/directoryObjects/{grace}"}
    sign_in.graph("POST", f"/groups/{group}/members/$ref", reference, 204)
    headers = {"authorization": f"Bearer {token_for(sign_in, nobody, f'{GRAPH}/.default')}"}
    refused = sign_in.ask("DELETE", f"/v1.0/users/{grace}", headers=headers)
    assert refused.status_code == 403
    directory = "/providers/Microsoft.Directory"
    told = [
        (each["action"].partition("/")[2], each["outcome"], each.get("details"))
        for each in events(sign_in, under=f"{directory}/users/{grace}")
    ]
    assert told == [
        (
            "users/write",
            "Succeeded",
            {"method": "POST", "properties": "displayName, userPrincipalName"},
        ),
        ("users/write", "Started", {"method": "PATCH", "properties": "passwordProfile"}),
        ("users/write", "Succeeded", {"method": "PATCH", "properties": "passwordProfile"}),
        ("users/delete", "Refused", {"method": "DELETE"}),
    ]
    (refusal,) = events(sign_in, requestid=refused.headers["x-ms-request-id"])
    assert (refusal["object_id"], refusal["credential"]) == (nobody.principal_id, "token")
    assert (refusal["code"], refusal["status"]) == ("Authorization_RequestDenied", 403)
    asked = refused.headers["x-ms-request-id"]
    path = f"/providers/Linarite.Operations/requests/{asked}/explanation?api-version=2026-11-01"
    key = {"authorization": f"Bearer {sign_in.server.ready['management_key']}"}
    explained = sign_in.ask("GET", path, headers=key).json()
    outcomes = {step["control"]: step["outcome"] for step in explained["steps"]}
    assert (outcomes["authentication"], outcomes["authorization"]) == ("passed", "refused")
    assert nobody.principal_id in explained["wouldHaveToChange"][0]
    member = events(sign_in, under=f"{directory}/groups/{group}/members")
    assert {each["details"]["member"] for each in member} == {grace}
    assert "never told" not in str(events(sign_in, category="Directory"))


def test_a_role_at_the_subscription_shows_what_is_of_it(sign_in: SignIn) -> None:
    """Sign-ins, the directory and the server itself take a role at the root."""
    app = sign_in.new_app("reader")
    token = token_for(sign_in, app, "https://management.azure.com/.default")
    headers = {"authorization": f"Bearer {token}"}
    key = {"authorization": f"Bearer {sign_in.server.ready['management_key']}"}

    def seen(category: str = "") -> tuple[int, set[str]]:
        narrowed = f"{EVENTS}&category={category}" if category else EVENTS
        answer = sign_in.ask("GET", narrowed, headers=headers)
        return answer.status_code, {each["category"] for each in answer.json().get("value", ())}

    def assign(scope: str) -> None:
        role = f"/providers/Microsoft.Authorization/roleDefinitions/{READER}"
        given = {"roleDefinitionId": role, "principalId": app.principal_id}
        path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{app.principal_id}"
        made = sign_in.ask(
            "PUT", f"{path}?api-version=2022-04-01", headers=key, json={"properties": given}
        )
        assert made.status_code == 201, made.text

    assert seen()[0] == 403
    assign(SUBSCRIPTION)
    status, categories = seen()
    assert status == 200
    assert "ControlPlane" in categories
    assert not categories & {"SignIn", "Directory", "Administration"}
    for closed in ("SignIn", "Directory", "Administration"):
        assert seen(closed) == (403, set())
    assign("")
    for opened in ("SignIn", "Directory", "Administration"):
        assert seen(opened) == (200, {opened})
