"""The sender, against a receiver that answers as told."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from structlog.testing import capture_logs

from linarite.controls.egress import EgressDialer, EgressPolicy, PurposeHosts
from linarite.domain.errors import SetupError
from linarite.domain.notice import Notice
from linarite.domain.outbox import Letter, OutboxQuery
from linarite.storage.database import open_database
from linarite.storage.memory.outbox import MemoryOutbox
from linarite.storage.sqlite.outbox import SqliteOutbox
from linarite.webhooks.options import WebhookSettings
from linarite.webhooks.sender import WebhookSender, moment
from tests.controls.egress.test_outbound import account, lists_over
from tests.webhook_receiver import SECRET, Receiver, webhook_receiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator
    from pathlib import Path

    from linarite.domain.outbox import Outbox

pytestmark = pytest.mark.anyio

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/contoso"
NOTICE = Notice(type="limit.threshold.reached", data={"percent": 80}, account_id=ACCOUNT)
OTHER_SECRET = "whsec_" + "B" * 44


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with webhook_receiver() as running:
        yield running


@asynccontextmanager
async def running(
    receiver: Receiver,
    outbox: Outbox | None = None,
    **fields: Any,  # noqa: ANN401 - of the settings
) -> AsyncIterator[tuple[WebhookSender, Outbox]]:
    """A sender with one declared receiver; it tries again at once."""
    kept = outbox if outbox is not None else MemoryOutbox()
    declared = WebhookSettings(**{"url": receiver.url, "secret": SECRET, **fields})
    sender = WebhookSender(kept, dialer("127.0.0.1"), {"ops": declared}, retry_s=(0.01, 0.02))
    await sender.start()
    try:
        yield sender, kept
    finally:
        await sender.stop()


def dialer(*hosts: str) -> EgressDialer:
    """One that may reach hosts for webhooks alone."""
    webhook = PurposeHosts(named_hosts=frozenset(hosts))
    return EgressDialer(EgressPolicy(purposes={"webhook": webhook}))


async def ended(outbox: Outbox) -> list[Letter]:
    """All letters, once none waits."""
    return await all_once(outbox, lambda letter: letter.state != "Waiting")


async def tried(outbox: Outbox) -> list[Letter]:
    """All letters, once it is known of each how its first attempt went."""
    return await all_once(outbox, lambda letter: letter.attempts > 0)


async def all_once(outbox: Outbox, true: Callable[[Letter], bool]) -> list[Letter]:
    """All letters, once something holds for each."""
    until = time.monotonic() + 60
    while True:
        letters = await outbox.read(OutboxQuery())
        if letters and all(map(true, letters)):
            return letters
        assert time.monotonic() < until, letters
        await asyncio.sleep(0.01)


async def test_a_notice_arrives_signed(receiver: Receiver) -> None:
    """As Standard Webhooks has it: type, timestamp and data, three headers."""
    async with running(receiver) as (sender, outbox):
        await sender.tell(NOTICE)
        [letter] = await ended(outbox)
    [got] = receiver.received
    assert (letter.state, letter.attempts, letter.outcome) == (
        "Delivered",
        1,
        "answered with status 204",
    )
    assert got.is_signed_with(SECRET)
    assert not got.is_signed_with(OTHER_SECRET)
    assert got.headers["webhook-id"] == letter.id
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 30
    told = got.json
    assert told.pop("id").startswith("evt_")
    assert abs(told.pop("created_at") - time.time()) < 30
    assert told == {
        "object": "event",
        "type": "limit.threshold.reached",
        "timestamp": letter.made_at,
        "data": {"percent": 80},
    }


async def test_while_a_secret_changes_both_sign(receiver: Receiver) -> None:
    """So that the receiver can change over at any time."""
    async with running(receiver, secret=f"{OTHER_SECRET} {SECRET}") as (sender, outbox):
        await sender.tell(NOTICE)
        await ended(outbox)
    [got] = receiver.received
    assert got.is_signed_with(SECRET)
    assert got.is_signed_with(OTHER_SECRET)


async def test_it_is_tried_again(receiver: Receiver) -> None:
    """With the same id, and a signature for each moment, until it is taken."""
    receiver.statuses = [500, 302]
    async with running(receiver) as (sender, outbox):
        await sender.tell(NOTICE)
        [letter] = await ended(outbox)
    assert (letter.state, letter.attempts) == ("Delivered", 3)
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert all(got.is_signed_with(SECRET) for got in receiver.received)


async def test_it_is_given_up_and_can_be_sent_again(receiver: Receiver) -> None:
    """A dead letter says why, is counted, and lives on when a person asks for it."""
    receiver.statuses = [500, 500, 503]
    async with running(receiver) as (sender, outbox):
        await sender.tell(NOTICE)
        [dead] = await ended(outbox)
        assert (dead.state, dead.attempts) == ("Dead", 3)
        assert dead.outcome == "answered with status 503"
        assert sender.dead_count == 1
        await sender.send_again(dead)
        [letter] = await ended(outbox)
    assert (letter.state, letter.attempts) == ("Delivered", 1)


async def test_gone_means_no_more(receiver: Receiver) -> None:
    """Status 410 ends it at once."""
    receiver.statuses = [410]
    async with running(receiver) as (sender, outbox):
        await sender.tell(NOTICE)
        [letter] = await ended(outbox)
    assert (letter.state, letter.attempts) == ("Dead", 1)


async def test_a_wish_to_wait_is_heard(receiver: Receiver) -> None:
    """`Retry-After` puts the next attempt off."""
    receiver.statuses, receiver.headers = [429], {"Retry-After": "600"}
    async with running(receiver) as (sender, outbox):
        await sender.tell(NOTICE)
        await asyncio.to_thread(receiver.wait_for, 1)
        until = time.monotonic() + 60
        while not (await outbox.read(OutboxQuery()))[0].attempts:
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
        [letter] = await outbox.read(OutboxQuery())
    assert letter.state == "Waiting"
    ahead = datetime.fromisoformat(letter.due_at).timestamp()
    assert 590 < ahead - time.time() < 610


async def test_one_key_is_told_once(receiver: Receiver, tmp_path: Path) -> None:
    """Also after a restart: whoever notices the same again may tell it again."""
    notice = msgspec.structs.replace(NOTICE, key="2026-01 80 %")
    for _ in range(2):
        database = open_database(tmp_path)
        async with running(receiver, SqliteOutbox(database)) as (sender, outbox):
            await sender.tell(notice)
            sender.tell_soon(notice)
            await ended(outbox)
        await database.close()
    assert len(receiver.received) == 1


async def test_a_restart_delivers_what_waits(receiver: Receiver, tmp_path: Path) -> None:
    """What was kept while the receiver was down reaches it from the next server."""
    database = open_database(tmp_path)
    sender = WebhookSender(
        SqliteOutbox(database),
        dialer("127.0.0.1"),
        {"ops": WebhookSettings(url="http://127.0.0.1:1/", secret=SECRET)},
    )
    await sender.tell(NOTICE)
    await database.close()  # it never began to send
    database = open_database(tmp_path)
    async with running(receiver, SqliteOutbox(database)) as (_, outbox):
        [letter] = await ended(outbox)
    await database.close()
    assert letter.state == "Delivered"
    assert receiver.received[0].json["data"] == {"percent": 80}


async def test_soon_is_soon(receiver: Receiver) -> None:
    """From the data path nothing is awaited; stopping keeps what has not been written."""
    async with running(receiver) as (sender, outbox):
        for _ in range(50):
            sender.tell_soon(NOTICE)
        await asyncio.to_thread(receiver.wait_for, 50)
        await ended(outbox)
    sender.tell_soon(NOTICE)
    await sender.stop()
    assert len(await outbox.read(OutboxQuery(state="Waiting"))) == 1


@pytest.mark.parametrize(
    ("fields", "arrives"),
    [
        ({"events": ["limit.*"]}, True),
        ({"events": ["limit.threshold.reached"]}, True),
        ({"events": ["limit"]}, False),
        ({"events": []}, False),
        ({"account": "Contoso"}, True),
        ({"account": "fabrikam"}, False),
    ],
)
async def test_receivers_choose(receiver: Receiver, fields: dict[str, Any], arrives: bool) -> None:
    """By types and by account."""
    async with running(receiver, **fields) as (sender, outbox):
        await sender.tell(NOTICE)
        assert len(await outbox.read(OutboxQuery())) == arrives


async def test_egress_rules_hold(receiver: Receiver) -> None:
    """A host that nothing names is not reached; the outcome says what to change."""
    outbox = MemoryOutbox()
    declared = WebhookSettings(url=receiver.url, secret=SECRET)
    sender = WebhookSender(outbox, dialer(), {"ops": declared}, retry_s=())
    await sender.start()
    await sender.tell(NOTICE)
    [letter] = await ended(outbox)
    await sender.stop()
    assert letter.state == "Dead"
    assert "egress.webhook.allowed_hosts" in letter.outcome
    assert not receiver.received


async def test_the_accounts_own_list_holds(receiver: Receiver) -> None:
    """Of the account that is told about, beside the server's; a change of it acts at once.

    What waits for it keeps nobody else's notices waiting, though they are for the same receiver.
    """
    lists, store = await lists_over(account(ACCOUNT, []))
    named = PurposeHosts(named_hosts=frozenset(("127.0.0.1",)))
    outbox = MemoryOutbox()
    sender = WebhookSender(
        outbox,
        EgressDialer(EgressPolicy(purposes={"webhook": named}), account_rules=[lists]),
        {"ops": WebhookSettings(url=receiver.url, secret=SECRET)},
        retry_s=(3600.0,),
    )
    for owner in (ACCOUNT, f"{ACCOUNT}-other", ""):
        await sender.tell(msgspec.structs.replace(NOTICE, account_id=owner))
    await sender.start()
    [waiting] = [each for each in await tried(outbox) if each.state == "Waiting"]
    assert len(receiver.received) == 2
    assert waiting.account_id == ACCOUNT
    assert "allowedFqdnList" in waiting.outcome
    kept = await store.get(ACCOUNT)
    assert kept is not None
    allowed = account("", ["127.0.0.1"]).properties
    await store.put(msgspec.structs.replace(kept, properties=allowed))
    await sender.send_again(waiting)
    assert {each.state for each in await ended(outbox)} == {"Delivered"}
    await sender.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    """What is signed for one host is for no other, though it may be reached."""
    with webhook_receiver() as elsewhere:
        receiver.statuses = [status]
        receiver.headers = {"location": elsewhere.url}
        async with running(receiver) as (sender, outbox):
            await sender.tell(NOTICE)
            [letter] = await ended(outbox)
    assert elsewhere.received == []
    assert (letter.state, len(receiver.received)) == ("Delivered", 2)  # tried again, where it was


async def test_a_fault_of_our_own_ends_nothing(receiver: Receiver) -> None:
    """Neither the watch nor a conversation: the letter is tried again, and the next one comes."""

    class Faulty(MemoryOutbox):
        looked = asyncio.Event()

        async def due(self, at: str, limit: int, without: Collection[str] = ()) -> list[Letter]:
            if not self.looked.is_set():
                self.looked.set()
                raise ZeroDivisionError
            return await super().due(at, limit, without)

    async def find(name: str) -> None:
        raise KeyError(name)

    with capture_logs() as logs:
        faulty = Faulty()
        async with running(receiver, faulty) as (sender, outbox):
            sender.also_find(find)
            await faulty.looked.wait()
            await sender.post([lost_letter()])
            await sender.tell(NOTICE)
            letters = await ended(outbox)
    assert sorted(each.state for each in letters) == ["Dead", "Delivered"]
    assert sum(each["log_level"] == "error" for each in logs) >= 4


def lost_letter() -> Letter:
    """One to a destination that has to be found."""
    at = moment()
    return Letter(id="m", destination="a#b", type="t", body="{}", made_at=at, due_at=at)


async def test_one_that_is_down_holds_up_nobody(receiver: Receiver) -> None:
    """Each destination has a conversation of its own."""
    declared = {
        "down": WebhookSettings(url="http://127.0.0.1:1/", secret=SECRET),
        "ops": WebhookSettings(url=receiver.url, secret=SECRET),
    }
    outbox = MemoryOutbox()
    sender = WebhookSender(outbox, dialer("127.0.0.1"), declared, retry_s=(600.0,))
    await sender.start()
    for _ in range(3):
        await sender.tell(NOTICE)
    await asyncio.to_thread(receiver.wait_for, 3)
    await asyncio.sleep(0.05)
    waiting = await outbox.read(OutboxQuery(state="Waiting"))
    await sender.stop()
    assert {each.destination for each in waiting} == {"webhooks.down"}
    assert sum(each.attempts for each in waiting) < 3
    assert "No connection" in max(each.outcome for each in waiting)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"secret": "hunter2"}, "webhooks.ops.secret"),
        ({"secret": "whsec_c2hvcnQ="}, "webhooks.ops.secret"),
        ({"secret": ""}, "webhooks.ops.secret"),
        ({"secret": f"{SECRET} {SECRET} {SECRET}"}, "webhooks.ops.secret"),
        ({"url": "https://me:hunter2@example.com/"}, "webhooks.ops.url"),
    ],
)
async def test_what_cannot_work_is_refused(fields: dict[str, Any], place: str) -> None:
    """At the start, by the setting's name, without showing a secret."""
    declared = WebhookSettings(**{"url": "https://example.com/", "secret": SECRET, **fields})
    with pytest.raises(SetupError, match=place) as refusal:
        WebhookSender(MemoryOutbox(), dialer(), {"ops": declared})
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(declared)
