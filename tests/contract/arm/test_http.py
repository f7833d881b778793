"""What stands around the bodies: credentials, headers, methods."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.arm.conftest import Managed

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUPS = f"{SUBSCRIPTION}/resourceGroups?api-version=2024-11-01"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "AuthenticationFailed"),
        ("Basic eDp5", "AuthenticationFailed"),
        ("Bearer", "AuthenticationFailed"),
        ("Bearer not-the-key", "InvalidAuthenticationToken"),
    ],
)
@pytest.mark.parametrize("path", [GROUPS, "/subscriptions/x/nothing", "/tenants"])
def test_nothing_is_told_without_the_key(
    managed: Managed, authorization: str, code: str, path: str
) -> None:
    """401 with ARM's body and the header that says where tokens are given out."""
    answer = managed.ask("GET", path, headers={"authorization": authorization})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith(f'Bearer authorization_uri="{managed.server.endpoint}/')
    assert ("invalid_token" in challenge) == (code == "InvalidAuthenticationToken")


def test_an_accounts_key_does_not_open_the_control_plane(managed: Managed) -> None:
    """And the management key opens no account."""
    bearer = {"authorization": f"Bearer {managed.server.key}"}
    assert managed.ask("GET", GROUPS, headers=bearer).status_code == 401
    models = managed.ask("GET", "/openai/models?api-version=2024-10-21")
    assert models.status_code == 401


def test_a_refused_body_is_refused_before_it_is_read(managed: Managed) -> None:
    """Without the key 401, with it 413 for a body beyond what ARM takes."""
    path = f"{SUBSCRIPTION}/resourceGroups/large?api-version=2024-11-01"
    body = json.dumps({"location": "local", "tags": {"t": "x" * 5_000_000}}).encode()
    headers = {"content-type": "application/json"}
    without = managed.ask("PUT", path, content=body, headers=headers | {"authorization": ""})
    assert without.status_code == 401
    refused = managed.ask("PUT", path, content=body, headers=headers)
    assert refused.status_code == 413
    assert refused.json()["error"]["code"] == "RequestEntityTooLarge"
    broken = managed.ask("PUT", path, content=b'{"location": ', headers=headers)
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "InvalidRequestContent")


def test_every_answer_can_be_found_again(managed: Managed) -> None:
    """Request ids are fresh; correlation and client ids come back as they were sent."""
    sent = {
        "x-ms-correlation-request-id": "my-correlation",
        "x-ms-client-request-id": "mine",
        "x-ms-return-client-request-id": "true",
    }
    one, two = managed.ask("GET", GROUPS, headers=sent), managed.ask("GET", GROUPS)
    assert one.headers["x-ms-correlation-request-id"] == "my-correlation"
    assert one.headers["x-ms-client-request-id"] == "mine"
    assert one.headers["x-ms-request-id"] != two.headers["x-ms-request-id"]
    assert two.headers["x-ms-correlation-request-id"] == two.headers["x-ms-request-id"]
    assert one.headers["x-ms-routing-request-id"].startswith("LOCAL:")
    assert one.headers["cache-control"] == "no-cache"


def test_methods_that_a_path_lacks(managed: Managed) -> None:
    """405 names those that it has."""
    answer = managed.ask("DELETE", f"{SUBSCRIPTION}/locations?api-version=2022-12-01")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_paths_ignore_case(managed: Managed) -> None:
    """Fixed words of a path may be written in any case, also the first."""
    answer = managed.ask("GET", GROUPS.replace("subscriptions", "SUBSCRIPTIONS", 1).lower())
    assert answer.status_code == 200
    trust = ssl.create_default_context(cafile=managed.authority)
    upper = httpx.get(
        f"{managed.server.endpoint}/SUBSCRIPTIONS?api-version=2022-12-01",
        headers={"authorization": f"Bearer {managed.key}"},
        verify=trust,
    )
    assert upper.status_code == 200
