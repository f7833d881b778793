"""Every row of both planes' tables, with every credential that must not open it.

The cases are made from the tables: a new row is covered by being there.
"""

from __future__ import annotations

import re
import time
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from linarite.controlplane.actions import ACTIONS
from linarite.controlplane.plane import VERBS
from linarite.controlplane.routes import RESOURCE_TYPES
from linarite.dataplane.routes import ROUTES
from tests.contract.tokens.conftest import SUBSCRIPTION
from tests.forged_tokens import GOOD
from tests.token_signer import DATA, MANAGEMENT

if TYPE_CHECKING:
    import httpx

    from tests.contract.tokens.conftest import Guarded

NOBODY = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
STRANGE = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SUBSCRIPTION_ID = SUBSCRIPTION.rpartition("/")[2]
NAMES = {
    "subscription": SUBSCRIPTION_ID,
    "resource_group": "linarite",
    "account": "linarite",
    "deployment": "gpt-4o",
    "model": "gpt-4o",
    "namespace": "Microsoft.CognitiveServices",
    "location": "local",
    "role": NOBODY,
    "assignment": NOBODY,
}
BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}], "model": "gpt-4o"}
VERSION = "api-version=2024-10-21"


def filled(template: str) -> str:
    """A template with names in its braces."""
    whole = template.replace("/{scope}/providers", f"{SUBSCRIPTION}/providers")
    return re.sub(r"{(\w+)}", lambda name: NAMES.get(name[1], "any"), whole)


def data_targets() -> list[tuple[str, str, str]]:
    """Method, path and data action of each route in each of its dialects."""
    found: list[tuple[str, str, str]] = []
    for route in ROUTES:
        between = "/deployments/gpt-4o" if route.dated == "deployment" else ""
        paths = [f"/openai/v1{filled(route.template)}"]
        if route.versions:
            version = "2024-10-21" if "2024-10-21" in route.versions else max(route.versions)
            paths.append(f"/openai{between}{filled(route.template)}?api-version={version}")
        found += [(route.method, path, route.operation.action) for path in paths]
    return found


def control_targets() -> list[tuple[str, str]]:
    """Method and path of every row that wants a credential."""
    found = [
        (VERBS[word][0], f"{filled(row.template)}?api-version={row.versions[-1]}")
        for row in RESOURCE_TYPES
        for word in sorted(row.verbs - {"LIST"})
    ]
    for row in RESOURCE_TYPES:
        if "LIST" in row.verbs:
            usual = row.template[: row.template.rindex("/")]
            found += [
                ("GET", f"{filled(path)}?api-version={row.versions[-1]}")
                for path in (usual, *row.collections)
            ]
    found += [
        (each.method, f"{filled(each.template)}?api-version={each.versions[-1]}")
        for each in ACTIONS
        if not each.public
    ]
    return found


OPEN_TO_ALL = {
    (each.method, f"{filled(each.template)}?api-version={each.versions[-1]}")
    for each in ACTIONS
    if each.entry == "anyone"
}


def tokens() -> dict[str, tuple[str, int]]:
    """Bearers that must not open the data plane, with the status of the refusal."""
    return {
        "wrong key": ("wrong", 401),
        "expired": (GOOD.token(exp=int(time.time()) - 7200), 401),
        "other audience": (GOOD.token(aud="https://graph.microsoft.com"), 401),
        "other tenant": (GOOD.token(tid=STRANGE), 400),
        "no role": (GOOD.token(oid=NOBODY, aud=[DATA, MANAGEMENT]), 401),
    }


def sent(guarded: Guarded, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """A request with a body where its method has one."""
    body = BODY if method in {"POST", "PUT", "PATCH"} else None
    return guarded.client.request(method, path, headers=headers, json=body)


def test_the_tables_are_all_there() -> None:
    """What the other tests run over."""
    dated = sum(bool(route.versions) for route in ROUTES)
    assert len(data_targets()) == len(ROUTES) + dated
    assert dated > len(ROUTES) / 2
    assert len(control_targets()) > 100


@pytest.mark.parametrize(("method", "path", "action"), data_targets())
def test_every_route_of_the_data_plane(
    guarded: Guarded, method: str, path: str, action: str
) -> None:
    """Refused before anything runs, each in its own words; data actions are full."""
    assert action.startswith("Microsoft.CognitiveServices/accounts/OpenAI/")
    assert sent(guarded, method, path, {}).status_code == 401
    assert sent(guarded, method, path, {"api-key": "wrong"}).status_code == 401
    for name, (bearer, status) in tokens().items():
        answer = sent(guarded, method, path, {"authorization": f"Bearer {bearer}"})
        assert answer.status_code == status, name
        if name == "no role":
            error = answer.json()["error"]
            assert error["code"] == "PermissionDenied"
            assert f"`{action}`" in error["message"]
    other = guarded.manage(
        "PUT",
        f"{SUBSCRIPTION}/resourceGroups/linarite/providers/Microsoft.CognitiveServices/accounts"
        "/elsewhere?api-version=2025-09-01",
        {
            "location": "local",
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "properties": {"customSubDomainName": "elsewhere"},
        },
    ).json()
    keys = guarded.manage("POST", f"{other['id']}/listKeys?api-version=2025-09-01").json()
    assert sent(guarded, method, path, {"api-key": keys["key1"]}).status_code == 401


@pytest.mark.parametrize("credential", ["none", "wrong key", "expired", "other tenant", "data key"])
def test_no_row_of_the_control_plane_opens_without_a_credential(
    guarded: Guarded, credential: str
) -> None:
    """401 on each, with the header that tells where tokens are given out."""
    bearers = {name: bearer for name, (bearer, _) in tokens().items()}
    bearers["data key"] = guarded.server.key
    headers = {} if credential == "none" else {"authorization": f"Bearer {bearers[credential]}"}
    for method, path in control_targets():
        answer = sent(guarded, method, path, headers)
        assert answer.status_code == 401, (method, path)
        assert "authorization_uri" in answer.headers["www-authenticate"]


def test_no_row_of_the_control_plane_opens_without_a_role(guarded: Guarded) -> None:
    """403 on each; what is open to whoever proved who they are shows nothing that is somebody's."""
    bearer = tokens()["no role"][0]
    for method, path in control_targets():
        answer = sent(guarded, method, path, {"authorization": f"Bearer {bearer}"})
        if (method, path) in OPEN_TO_ALL:
            assert answer.status_code in {200, 403, 404}, (method, path)
            assert SUBSCRIPTION_ID not in answer.text.replace(path, ""), path
            continue
        assert answer.status_code == 403, (method, path, answer.text)
        if method != "HEAD":
            assert answer.json()["error"]["code"] == "AuthorizationFailed", (method, path)


def test_a_role_at_a_deployment_opens_that_and_no_more(guarded: Guarded) -> None:
    """Not the list of models, not its neighbour, not one that is not there; then it is taken."""
    account = (
        f"{SUBSCRIPTION}/resourceGroups/linarite/providers/Microsoft.CognitiveServices/accounts"
        "/linarite"
    )
    somebody = "dddddddd-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    token = GOOD.token(oid=somebody)
    role = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
    guarded.assign(role, somebody, f"{account}/deployments/gpt-4o")
    headers = {"authorization": f"Bearer {token}"}

    def status(method: str, path: str, body: object = BODY) -> int:
        return guarded.client.request(
            method, path, headers=headers, json=None if method == "GET" else body
        ).status_code

    chat = f"/openai/deployments/gpt-4o/chat/completions?{VERSION}"
    neighbour = f"/openai/deployments/text-embedding-3-small/embeddings?{VERSION}"
    assert status("POST", chat) == 200
    assert status("POST", "/openai/v1/chat/completions") == 200
    assert status("POST", chat, {"messages": "wrong"}) == 400
    absent = guarded.client.post(chat.replace("gpt-4o", "absent"), headers=headers, json=BODY)
    assert (absent.status_code, absent.json()["error"]["code"]) == (401, "PermissionDenied")
    assert status("POST", neighbour, {"input": "a"}) == 401
    assert (
        status("POST", "/openai/v1/embeddings", {"model": "text-embedding-3-small", "input": "a"})
        == 401
    )
    for path in (f"/openai/models?{VERSION}", "/openai/v1/models", "/openai/v1/models/gpt-4o"):
        assert status("GET", path) == 401, path
    denied = f"{account}/deployments/gpt-4o/providers/Microsoft.Authorization/denyAssignments"
    everybody = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
    denial = {
        "denyAssignmentName": "closed",
        "permissions": [{"dataActions": ["*"]}],
        "principals": [everybody],
    }
    guarded.assign(role, somebody, account)
    closed = f"{denied}/{STRANGE}?api-version=2024-07-01-preview"
    assert status("POST", neighbour, {"input": "a"}) == 200
    assert guarded.manage("PUT", closed, {"properties": denial}).status_code == 201
    assert status("POST", chat) == 401
    assert status("POST", neighbour, {"input": "a"}) == 200
    assert guarded.manage("DELETE", closed).status_code == 200
    assert status("POST", chat) == 200


def test_each_data_action_opens_its_own_routes(guarded: Guarded) -> None:
    """A role with one data action: no other route is opened by it."""
    actions = sorted({action for _, _, action in data_targets()})
    holders = {
        action: f"{at:08d}-eeee-4ccc-8ddd-eeeeeeeeeeee" for at, action in enumerate(actions, 1)
    }
    for action, holder in holders.items():
        guid = holder.replace("eeee", "ffff", 1)
        role = {
            "roleName": f"Only {action}",
            "assignableScopes": [SUBSCRIPTION],
            "permissions": [{"dataActions": [action]}],
        }
        path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
        made = guarded.manage("PUT", f"{path}?api-version=2022-04-01", {"properties": role})
        assert made.status_code in {200, 201}, made.text
        guarded.assign(guid, holder, SUBSCRIPTION)
    for (method, path, action), (granted, holder) in product(data_targets(), holders.items()):
        bearer = GOOD.token(oid=holder)
        answer = sent(guarded, method, path, {"authorization": f"Bearer {bearer}"})
        assert (answer.status_code != 401) == (action == granted), (path, granted, answer.text)
