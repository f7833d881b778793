"""Deliveries to webhooks, as the control plane shows and repeats them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.outbox import Letter
from linarite.storage.memory.outbox import MemoryOutbox
from linarite.webhooks.sender import WebhookSender
from tests.controlplane.rig import SUBSCRIPTION, Rig

if TYPE_CHECKING:
    from linarite.domain.outbox import LetterState

pytestmark = pytest.mark.anyio

DELIVERIES = f"/subscriptions/{SUBSCRIPTION}/providers/Linarite.Operations/webhookDeliveries"
VERSION = "2026-11-01"


def letter(name: str, state: LetterState, account_id: str = "") -> Letter:
    """A letter as it stands."""
    at = "2026-01-01T00:00:00.000000Z"
    return Letter(
        id=name,
        destination="webhooks.ops",
        type="t",
        body='{"data": "for its receiver"}',
        account_id=account_id,
        made_at=at,
        state=state,
        attempts=3,
        due_at=at,
        outcome="answered with status 500",
    )


@pytest.fixture
async def rig() -> Rig:
    """A control plane with a sender that does not send."""
    made = Rig()
    outbox = MemoryOutbox()
    await outbox.add([letter("a", "Waiting"), letter("b", "Dead", "/A"), letter("c", "Delivered")])
    made.surface.outbox = WebhookSender(outbox, EgressDialer(EgressPolicy()), {})
    return made


async def test_dead_letters_are_seen(rig: Rig) -> None:
    """By state and account; not what was said in them."""
    listed = (await rig.ask("GET", DELIVERIES, version=VERSION)).body["value"]
    assert [each["id"] for each in listed] == ["c", "b", "a"]
    assert "for its receiver" not in str(listed)
    assert ("dueAt" in listed[2], "endedAt" in listed[1]) == (True, True)
    for query in ("state=dead", "account=/a"):
        [dead] = (await rig.ask("GET", f"{DELIVERIES}?{query}", version=VERSION)).body["value"]
        assert (dead["id"], dead["outcome"]) == ("b", "answered with status 500")
    refused = await rig.ask("GET", f"{DELIVERIES}?state=lost", version=VERSION)
    assert (refused.status, "Dead" in refused.body["message"]) == (400, True)


async def test_one_that_has_ended_is_sent_again(rig: Rig) -> None:
    """One that waits is not, nor one that there is not."""
    again = await rig.ask("POST", f"{DELIVERIES}/b/sendAgain", version=VERSION)
    assert (again.status, again.body["state"], again.body["attempts"]) == (200, "Waiting", 0)
    for name, status in (("b", 409), ("a", 409), ("z", 404)):
        answer = await rig.ask("POST", f"{DELIVERIES}/{name}/sendAgain", version=VERSION)
        assert answer.status == status
