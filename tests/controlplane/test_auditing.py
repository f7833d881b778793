"""What the control plane tells the audit log, and that nothing happens untold."""

from __future__ import annotations

import pytest

from linarite.controlplane.resources.explanations.of_control_plane import explained
from tests.controlplane.people import (
    ASSIGNMENTS,
    READER,
    assign,
    assignment,
    object_id,
    person,
)
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, Rig
from tests.controls.audit.events import make_event

pytestmark = pytest.mark.anyio

ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
"""User Access Administrator"""
ONLY_READERS = {
    "condition": " AND ".join(
        f"(!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{verb}'}}) OR "
        f"{source}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] "
        f"ForAnyOfAnyValues:GuidEquals{{{READER}}})"
        for verb, source in (("write", "@Request"), ("delete", "@Resource"))
    ),
    "conditionVersion": "2.0",
}


@pytest.fixture
async def rig() -> Rig:
    """A control plane with a resource group, of which nothing has been told yet."""
    rig = await Rig().with_group()
    rig.audit.entries.clear()
    return rig


def told(rig: Rig) -> list[tuple[str, str, int]]:
    """Action, outcome and status of each event."""
    return [
        (event.action.removeprefix("Microsoft.CognitiveServices/"), event.outcome, event.status)
        for event in rig.audit.events
    ]


async def test_a_write_is_told_at_both_ends(rig: Rig) -> None:
    """Who, what, on which resource; the reading that follows is not."""
    answer = await rig.ask("PUT", f"{ACCOUNTS}/contoso", ACCOUNT)
    assert answer.status == 201
    await rig.ask("GET", f"{ACCOUNTS}/contoso")
    assert told(rig) == [("accounts/write", "Started", 0), ("accounts/write", "Succeeded", 201)]
    for event in rig.audit.events:
        assert event.resource_id == f"{ACCOUNTS}/contoso"
        assert (event.principal, event.credential) == ("management-key", "management-key")


async def test_reading_keys_is_told_and_no_key_is(rig: Rig) -> None:
    """ListKeys and regenerateKey are actions; their answers stay out of the log."""
    await rig.ask("PUT", f"{ACCOUNTS}/contoso", ACCOUNT)
    rig.audit.entries.clear()
    keys = (await rig.ask("POST", f"{ACCOUNTS}/contoso/listKeys")).body
    await rig.ask("POST", f"{ACCOUNTS}/contoso/regenerateKey", {"keyName": "Key1"})
    assert [outcome for _, outcome, _ in told(rig)] == ["Started", "Succeeded"] * 2
    bodies = b"".join(entry.body for entry in rig.audit.entries)
    assert keys["key1"].encode() not in bodies
    assert keys["key2"].encode() not in bodies


async def test_a_failure_is_told_with_its_code(rig: Rig) -> None:
    """A body that is refused, and a resource that is not there."""
    await rig.ask("PUT", f"{ACCOUNTS}/contoso", {"kind": "OpenAI"})
    await rig.ask("DELETE", f"{GROUP}x")
    assert {outcome for _, outcome, _ in told(rig)} == {"Started", "Failed"}
    assert all(event.code for event in rig.audit.events if event.outcome == "Failed")


@pytest.mark.parametrize(
    ("status", "code", "refused_by", "advice"),
    [
        (401, "InvalidAuthenticationToken", "authentication", "management key"),
        (403, "AuthorizationFailed", "authorization", "Assign a role that grants"),
        (403, "RequestDisallowedByPolicy", "policy", "exempted"),
        (409, "ScopeLocked", "lock", "Remove the lock"),
        (409, "RequestConflict", "request", "Wait"),
        (400, "InvalidResourceName", "request", "Change the request"),
    ],
)
def test_each_refusal_is_explained_by_what_refused(
    status: int, code: str, refused_by: str, advice: str
) -> None:
    """And it is told what would have to change."""
    event = make_event(outcome="Refused", status=status, code=code, object_id="some-id")
    told = explained([event])
    found = {step.control: step.outcome for step in told.steps}
    assert found[refused_by] == "refused"
    assert list(found.values()).count("refused") == 1
    assert advice in told.would_have_to_change[0]


async def test_nothing_is_done_that_can_not_be_told(rig: Rig) -> None:
    """503, teachingly; the resource is not there afterwards, and reading goes on."""
    rig.audit.refusing = True
    answer = await rig.ask("PUT", f"{ACCOUNTS}/contoso", ACCOUNT)
    assert (answer.status, answer.body["code"]) == (503, "AuditUnavailable")
    assert "audit.required" in answer.body["message"]
    assert (await rig.ask("GET", f"{ACCOUNTS}/contoso")).status == 404
    assert (await rig.ask("POST", f"{ACCOUNTS}/contoso/listKeys")).status == 503


async def test_the_assignment_that_decided_is_told_though_it_has_a_condition(rig: Rig) -> None:
    """Of a PUT by what it asks for; of a DELETE by what was there and is no more."""
    await rig.access.refresh()
    has = await assign(rig, ACCESS_ADMINISTRATOR, "ann", GROUP, **ONLY_READERS)
    rig.audit.entries.clear()
    path = f"{GROUP}/{ASSIGNMENTS}/{object_id('given')}"
    given = await rig.ask("PUT", path, assignment(READER, "bob"), caller=person("ann"))
    assert given.status == 201
    assert (await rig.ask("DELETE", path, caller=person("ann"))).status == 200
    assert [event.outcome for event in rig.audit.events] == ["Started", "Succeeded"] * 2
    assert {event.decided_by for event in rig.audit.events} == {has}
