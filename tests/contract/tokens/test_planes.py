"""Which token opens what, and the words of each refusal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.contract.tokens.conftest import CHAT, GROUPS, HELLO, SUBSCRIPTION
from tests.forged_tokens import GOOD
from tests.token_signer import DATA, MANAGEMENT, SOMEBODY

if TYPE_CHECKING:
    from tests.contract.tokens.conftest import Guarded

NOBODY = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"
ACCOUNT = "resourceGroups/linarite/providers/Microsoft.CognitiveServices/accounts"
AI = "https://ai.azure.com"
METRICS = "https://metrics.monitor.azure.com"
CORE = "https://management.core.windows.net"


@pytest.mark.parametrize("audience", [DATA, f"{DATA}/", AI, f"{AI}/"])
def test_the_data_planes_audiences(guarded: Guarded, audience: str) -> None:
    """They open both dialects, and nothing of the control plane."""
    token = GOOD.token(aud=audience)
    assert guarded.chat(token).status_code == 200
    v1 = guarded.ask("POST", "/openai/v1/chat/completions", token, json=HELLO | {"model": "gpt-4o"})
    assert v1.status_code == 200
    answer = guarded.groups(token)
    code = answer.json()["error"]["code"]
    assert (answer.status_code, code) == (401, "InvalidAuthenticationTokenAudience")


@pytest.mark.parametrize(
    "audience", [MANAGEMENT, f"{MANAGEMENT}/", CORE, f"{CORE}/", "own", "own/"]
)
def test_the_control_planes_audiences(guarded: Guarded, audience: str) -> None:
    """They open it, the server's own address among them, and nothing of the data plane."""
    token = GOOD.token(aud=audience.replace("own", guarded.server.endpoint.rstrip("/")))
    assert guarded.groups(token).status_code == 200
    answer = guarded.chat(token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")
    assert "audience ('aud')" in answer.json()["error"]["innererror"]["message"]


@pytest.mark.parametrize("audience", [METRICS, f"{METRICS}/"])
def test_the_audience_of_azure_monitors_own_service(guarded: Guarded, audience: str) -> None:
    """It opens the questions about several resources, and nothing else."""
    token = GOOD.token(aud=audience)
    account = f"{SUBSCRIPTION}/{ACCOUNT}/linarite"
    batch = (
        f"{SUBSCRIPTION}/metrics:getBatch?api-version=2024-02-01"
        "&metricnames=ModelRequests&metricnamespace=Microsoft.CognitiveServices/accounts"
    )
    answer = guarded.ask("POST", batch, token, json={"resourceids": [account]})
    assert answer.status_code == 200, answer.text
    one = f"{account}/providers/Microsoft.Insights/metrics?api-version=2023-10-01"
    for refused in (guarded.groups(token), guarded.ask("GET", one, token)):
        code = refused.json()["error"]["code"]
        assert (refused.status_code, code) == (401, "InvalidAuthenticationTokenAudience")
    assert guarded.chat(token).status_code == 401
    nobody = GOOD.token(oid=NOBODY, aud=audience)
    answer = guarded.ask("POST", batch, nobody, json={"resourceids": [account]})
    assert answer.status_code == 403


def test_what_a_client_calls_the_server_is_no_audience(guarded: Guarded) -> None:
    """Whoever got a token for another service can't make it fit by the Host header."""
    for host, status in {"other-service.internal": 401, "other-service.example": 421}.items():
        token = GOOD.token(aud=f"https://{host}")
        headers = {"authorization": f"Bearer {token}", "host": host}
        assert guarded.client.get(GROUPS, headers=headers).status_code == status


def test_a_key_decides_beside_a_token(guarded: Guarded) -> None:
    """Good or bad, the token is not looked at."""
    for key, token, status in (
        (guarded.server.key, "a.b.c", 200),
        ("wrong", GOOD.token(), 401),
    ):
        headers = {"api-key": key, "authorization": f"Bearer {token}"}
        assert guarded.client.post(CHAT, headers=headers, json=HELLO).status_code == status


def test_somebody_without_a_role_is_told_which_is_missing(guarded: Guarded) -> None:
    """Azure's way: 401 on the data plane, 403 on the control plane; and 404 tells no more."""
    token = GOOD.token(oid=NOBODY, aud=[DATA, MANAGEMENT])
    answer = guarded.chat(token)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (401, "PermissionDenied")
    assert error["message"] == (
        f"The principal `{NOBODY}` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to "
        "perform `POST /openai/deployments/{deployment-id}/chat/completions` operation."
    )
    absent = guarded.ask("POST", f"/absent{CHAT}", token, json=HELLO)
    assert (absent.status_code, absent.content) == (401, answer.content)
    put = guarded.ask("PUT", GROUPS.replace("?", "/new?"), token, json={"location": "local"})
    assert (put.status_code, put.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert NOBODY in put.json()["error"]["message"]


def test_the_refusals_of_azure(guarded: Guarded) -> None:
    """Bad: 401 with the reason and where to get one; another tenant's: 400."""
    answer = guarded.chat(GOOD.token(exp=int(time.time()) - 7200))
    error = answer.json()["error"]
    assert answer.status_code == 401
    assert error["message"] == (
        "Access token is missing, invalid, audience is incorrect "
        "(https://cognitiveservices.azure.com), or have expired."
    )
    assert "has expired" in error["innererror"]["message"]
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith(f'Bearer authorization_uri="{guarded.server.endpoint}/')
    answer = guarded.chat(GOOD.token(tid=NOBODY))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert answer.json()["error"]["message"] == (
        f"Token tenant {NOBODY} does not match resource tenant."
    )
    for claims, code in (
        ({"exp": int(time.time()) - 7200}, "ExpiredAuthenticationToken"),
        ({"tid": NOBODY}, "InvalidAuthenticationTokenTenant"),
        ({"aud": DATA}, "InvalidAuthenticationTokenAudience"),
        ({"exp": "soon"}, "InvalidAuthenticationToken"),
    ):
        answer = guarded.groups(GOOD.token(**claims))
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


def test_an_account_without_a_subdomain_takes_keys_only(guarded: Guarded) -> None:
    """400, as Azure's regional hosts answer; and 403 for a key where keys are switched off."""
    path = f"{SUBSCRIPTION}/{ACCOUNT}/plain?api-version=2025-09-01"
    body = {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
    assert guarded.manage("PUT", path, body).status_code in {200, 201}
    models = "/plain/openai/models?api-version=2024-10-21"
    answer = guarded.ask("GET", models, GOOD.token())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert "custom subdomain" in answer.json()["error"]["message"]
    keys = guarded.manage("POST", path.replace("?", "/listKeys?")).json()
    by_key = {"api-key": keys["key1"]}
    assert guarded.client.get(models, headers=by_key).status_code == 200
    body["properties"] = {"customSubDomainName": "plain", "disableLocalAuth": True}
    assert guarded.manage("PUT", path, body).status_code == 200
    refused = guarded.client.get(models, headers=by_key)
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        403,
        "AuthenticationTypeDisabled",
    )
    assert guarded.ask("GET", models, GOOD.token()).status_code == 200


def test_what_somebody_does_is_told_under_their_name(guarded: Guarded) -> None:
    """SystemData and the activity log: a user, an application, a managed identity."""
    identity = f"{SUBSCRIPTION}/resourceGroups/x/providers/Microsoft.Compute/virtualMachines/vm"
    cases = {
        "user": ({"idtyp": "user", "upn": "ada@example.com"}, ("ada@example.com", "User")),
        "app": ({"appid": "the-app"}, ("the-app", "Application")),
        "vm": ({"appid": "the-vm", "xms_mirid": identity}, ("the-vm", "ManagedIdentity")),
    }
    for name, (claims, expected) in cases.items():
        token = GOOD.token(aud=MANAGEMENT, **claims)
        path = f"{SUBSCRIPTION}/{ACCOUNT}/by-{name}?api-version=2025-09-01"
        body = {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
        made = guarded.ask("PUT", path, token, json=body)
        assert made.status_code in {200, 201}, made.text
        told = guarded.manage("GET", path).json()["systemData"]
        assert (told["createdBy"], told["createdByType"]) == expected
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    log = guarded.manage(
        "GET",
        f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
        f"?api-version=2015-04-01&$filter=eventTimestamp ge '{since}'",
    ).json()["value"]
    by_user = next(event for event in log if event["caller"] == "ada@example.com")
    claims = by_user["claims"]
    assert claims["http://schemas.microsoft.com/identity/claims/objectidentifier"] == SOMEBODY
    assert claims["iss"] == GOOD.issuer
