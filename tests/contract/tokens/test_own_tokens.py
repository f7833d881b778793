"""This server's own tokens: from its token endpoint to its planes, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tests.contract.tokens.conftest import CONTRIBUTOR, OPENAI_USER, SUBSCRIPTION
from tests.forged_tokens import GOOD

if TYPE_CHECKING:
    from tests.contract.tokens.conftest import Guarded


def test_an_application_signs_in_and_ends(guarded: Guarded) -> None:
    """With roles it opens both planes; once disabled its token opens nothing."""
    app = guarded.manage("POST", "/v1.0/applications", {"displayName": "own"}).json()
    holder = guarded.manage("POST", "/v1.0/servicePrincipals", {"appId": app["appId"]}).json()
    added = guarded.manage("POST", f"/v1.0/applications/{app['id']}/addPassword", {}).json()

    def token(resource: str) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": app["appId"],
            "client_secret": added["secretText"],
            "scope": f"{resource}/.default",
        }
        answer = guarded.client.post("/common/oauth2/v2.0/token", data=form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    data = token("https://cognitiveservices.azure.com")
    management = token(guarded.server.endpoint.rstrip("/"))
    refused = guarded.chat(data)
    assert refused.json()["error"]["code"] == "PermissionDenied"
    assert holder["id"] in refused.json()["error"]["message"]
    guarded.assign(OPENAI_USER, holder["id"], SUBSCRIPTION)
    guarded.assign(CONTRIBUTOR, holder["id"], SUBSCRIPTION)
    assert guarded.chat(data).status_code == 200
    assert guarded.groups(management).status_code == 200
    assert guarded.groups(data).status_code == guarded.chat(management).status_code == 401
    path = f"/v1.0/servicePrincipals/{holder['id']}"
    assert guarded.manage("PATCH", path, {"accountEnabled": False}).is_success
    for answer in (guarded.chat(data), guarded.groups(management)):
        assert answer.status_code == 401
    assert "disabled" in guarded.chat(data).json()["error"]["innererror"]["message"]


def test_who_leaves_a_group_loses_its_roles_at_once(guarded: Guarded) -> None:
    """And who joins has them: the directory's groups count, not those of the token's day."""
    app = guarded.manage("POST", "/v1.0/applications", {"displayName": "member"}).json()
    holder = guarded.manage("POST", "/v1.0/servicePrincipals", {"appId": app["appId"]}).json()
    added = guarded.manage("POST", f"/v1.0/applications/{app['id']}/addPassword", {}).json()
    group = {"displayName": "callers", "mailNickname": "callers", "mailEnabled": False}
    made = guarded.manage("POST", "/v1.0/groups", group | {"securityEnabled": True}).json()
    guarded.assign(OPENAI_USER, made["id"], SUBSCRIPTION, "Group")
    form = {
        "grant_type": "client_credentials",
        "client_id": app["appId"],
        "client_secret": added["secretText"],
        "scope": "https://cognitiveservices.azure.com/.default",
    }
    token = guarded.client.post("/common/oauth2/v2.0/token", data=form).json()["access_token"]
    assert guarded.chat(token).status_code == 401
    members = f"/v1.0/groups/{made['id']}/members"
    member = {"@odata.id": f"{guarded.server.endpoint}/v1.0/directoryObjects/{holder['id']}"}
    assert guarded.manage("POST", f"{members}/$ref", member).is_success
    assert guarded.chat(token).status_code == 200
    assert guarded.manage("DELETE", f"{members}/{holder['id']}/$ref").is_success
    assert guarded.chat(token).status_code == 401


def test_another_issuer_cannot_name_somebody_of_the_directory(guarded: Guarded) -> None:
    """Though it is trusted: an object id of this directory is this directory's to prove."""
    name = f"ada-{uuid4().hex[:8]}@example.org"
    body = {
        "accountEnabled": True,
        "displayName": "Ada",
        "mailNickname": "ada",
        "userPrincipalName": name,
        "passwordProfile": {"password": uuid4().hex + "A!"},
    }
    made = guarded.manage("POST", "/v1.0/users", body)
    assert made.is_success, made.text
    answer = guarded.chat(GOOD.token(oid=made.json()["id"]))
    assert answer.json()["error"]["code"] == "Unauthorized"
    assert "object_ids" in answer.json()["error"]["innererror"]["message"]
