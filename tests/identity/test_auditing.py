"""Sign-ins, keys and accounts that take none, as the audit log and explanations tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.domain.sign_in import SignInEvent
from linarite.identity.auditing import audited_sign_in
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

OPERATIONS = "api-version=2026-11-01"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all of it."""
    yield from serving(tmp_path_factory.mktemp("home"), SIMULATED)


def manage(server: Server, method: str, path: str, body: object = None) -> dict[str, Any]:
    """A request to the control plane with the management key."""
    answer = httpx.request(
        method,
        f"{server.endpoint}{path}",
        headers={"authorization": f"Bearer {server.ready['management_key']}"},
        json=body,
        timeout=60,
    )
    assert answer.status_code < 300, answer.text
    return answer.json()


def test_a_refused_sign_in_is_audited_without_what_was_typed(server: Server) -> None:
    """The way, the address and the number; no name, which may be a password."""
    subscription = server.ready["account_id"].split("/resourceGroups/")[0]
    answer = httpx.post(
        f"{server.endpoint}/common/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": "P@ssw0rd-typed-here",
            "client_secret": "secret-typed-here",
            "scope": "https://cognitiveservices.azure.com/.default",
        },
    )
    assert answer.status_code >= 400
    listed = f"{subscription}/providers/Linarite.Operations/auditEvents?{OPERATIONS}"
    events = manage(server, "GET", f"{listed}&category=SignIn")["value"]
    assert events[0]["outcome"] == "Refused"
    assert events[0]["code"].startswith("AADSTS")
    assert "typed-here" not in str(events)


def test_whoever_reads_with_the_management_key_leaves_a_trace(server: Server) -> None:
    """Once for an address, whatever is read, on the control plane and in the directory."""
    subscription = server.ready["account_id"].split("/resourceGroups/")[0]
    for path in (f"{subscription}?api-version=2022-12-01", "/v1.0/users", "/v1.0/groups"):
        manage(server, "GET", path)
    listed = f"{subscription}/providers/Linarite.Operations/auditEvents?{OPERATIONS}"
    used = manage(server, "GET", f"{listed}&category=KeyUse&principal=management-key")["value"]
    assert [(each["address"], each["outcome"]) for each in used] == [("127.0.0.1", "Succeeded")]
    assert used[0]["resource_id"] == "/providers/Linarite/managementKeys/default"


def test_a_key_where_keys_are_not_taken_is_explained(server: Server) -> None:
    """Refused by authentication; the setting and the role that would change it are named."""
    account = f"{server.ready['account_id']}?api-version=2025-09-01"
    manage(server, "PATCH", account, {"properties": {"disableLocalAuth": True}})
    try:
        answer = httpx.get(f"{server.endpoint}/openai/v1/models", headers={"api-key": server.key})
        assert answer.status_code == 403
        asked = answer.headers["apim-request-id"]
        path = f"/providers/Linarite.Operations/requests/{asked}/explanation?{OPERATIONS}"
        told = manage(server, "GET", path)
    finally:
        manage(server, "PATCH", account, {"properties": {"disableLocalAuth": False}})
    outcomes = {step["control"]: step["outcome"] for step in told["steps"]}
    assert outcomes["authentication"] == "refused"
    advice = " ".join(told["wouldHaveToChange"])
    assert "disableLocalAuth" in advice
    assert "Cognitive Services OpenAI User" in advice
    assert server.ready["account_id"] in advice


def test_a_good_sign_in_tells_who_and_for_what() -> None:
    """The principal, the application, the way; the token is not part of it."""
    told = audited_sign_in(
        SignInEvent(
            at=1_700_000_000.5,
            how="client_secret",
            client_id="application",
            object_id="object",
            name="My application",
            resource="https://ai.azure.com",
            address="10.0.0.1",
            correlation_id="c",
        )
    )
    assert (told.category, told.outcome, told.at) == (
        "SignIn",
        "Succeeded",
        "2023-11-14T22:13:20.500000+00:00",
    )
    assert (told.principal, told.object_id, told.app_id) == (
        "My application",
        "object",
        "application",
    )
    assert told.details == {"resource": "https://ai.azure.com"}
