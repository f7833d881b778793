"""The sender: keeps what is to be told, delivers it, tries again, gives up in the end."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import structlog

from linarite.domain.errors import LinariteError, ServiceUnavailable
from linarite.domain.outbox import Letter
from linarite.webhooks.destination import DeclaredDestinations
from linarite.webhooks.posting import Posted, posted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from linarite.domain.dial import Dialer
    from linarite.domain.notice import Notice
    from linarite.domain.outbox import Outbox, OutboxQuery
    from linarite.webhooks.destination import Destination
    from linarite.webhooks.options import WebhookSettings

    Finder = Callable[[str], Awaitable[Destination | None]]
    Wanting = Callable[[Notice], Awaitable[list[str]]]

log = structlog.get_logger("linarite.webhooks")

RETRY_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 86_400.0)
"""seconds after each failed attempt until the next: ten attempts in forty hours"""
JITTER = 0.1
RETRY_AFTER_MAX_S = 3600.0
KEEP_DAYS = 30.0
"""how long what has ended can be seen, and a notice of the same key is not told again"""
DAY_S = 86_400.0
BATCH = 100
SOON_MAX = 10_000
STORE_RETRY_S = 1.0
FAULT_RETRY_S = 30.0
LOOK_S = 300.0
STOP_WAIT_S = 2.0
"""how long `stop` waits for answers that are under way"""


class WebhookSender:
    """`linarite.domain.notice.Notifier`. `start`, then `stop` once."""

    def __init__(
        self,
        outbox: Outbox,
        dialer: Dialer,
        declared: Mapping[str, WebhookSettings],
        *,
        retry_s: Sequence[float] = RETRY_S,
    ) -> None:
        """Raises SetupError for a declared receiver that can't work."""
        self._outbox = outbox
        self._dialer = dialer
        self._declared = DeclaredDestinations(declared)
        self._finders: list[Finder] = []
        self._wanting: list[Wanting] = []
        self._retry_s = tuple(retry_s)
        self._soon: deque[Notice] = deque()
        self._woken = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._talks: dict[str, asyncio.Task[None]] = {}
        self._tidied_at = 0.0
        self._stopping = False
        self.lost_count = 0
        """notices that found no room since the start"""
        self.dead_count = 0
        """letters given up since the start"""

    def also_find(self, finder: Finder) -> None:
        """Have destinations looked up that settings don't declare; the first that knows one."""
        self._finders.append(finder)

    def also_tell(self, wanting: Wanting) -> None:
        """Have notices told to the destinations too that it names, which a finder knows."""
        self._wanting.append(wanting)

    async def start(self) -> None:
        """Go on with what an earlier server left."""
        self._watching = asyncio.create_task(self._watch(), name="webhooks")

    async def stop(self) -> None:
        """Leave what is not delivered to the next server."""
        self._stopping = True
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if talks := list(self._talks.values()):
            # What is answered just now need not be sent again by the next server.
            await asyncio.wait(talks, timeout=STOP_WAIT_S)
            for talk in talks:
                talk.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
        with suppress(ServiceUnavailable):
            await self._keep_soon()

    async def tell(self, notice: Notice) -> None:
        """Keep it for each receiver that wants it. Raises ServiceUnavailable."""
        names = self._declared.wanting(notice)
        for wanting in self._wanting:
            names += await wanting(notice)
        await self.post(_letters(notice, names))

    def tell_soon(self, notice: Notice) -> None:
        """As `tell`, within moments; on the thread of the event loop."""
        if len(self._soon) >= SOON_MAX:
            self._lose(1)
            return
        self._soon.append(notice)
        self._woken.set()

    async def post(self, letters: Sequence[Letter]) -> None:
        """Keep letters to destinations of any kind. Raises ServiceUnavailable."""
        if not letters:
            return
        refused = await self._outbox.add(letters)
        if refused:
            self._lose(len(refused))
        self._woken.set()

    async def read(self, query: OutboxQuery) -> list[Letter]:
        """Letters that match. Raises ServiceUnavailable."""
        return await self._outbox.read(query)

    async def send_again(self, letter: Letter) -> Letter:
        """Begin anew with one that has ended. Raises ServiceUnavailable."""
        again = msgspec.structs.replace(letter, state="Waiting", attempts=0, due_at=moment())
        await self._outbox.keep(again)
        self._woken.set()
        return again

    def _lose(self, count: int) -> None:
        self.lost_count += count
        log.error("notices lost: too many wait for their webhooks", count=count)

    async def _watch(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._keep_soon()
                await self._tidy()
                await self._begin_talks()
                pause_s = await self._pause_s()
            except ServiceUnavailable as refusal:
                log.warning("webhooks wait for their store", reason=refusal.message)
                pause_s = STORE_RETRY_S
            except Exception:
                log.exception("webhooks not looked at by our own fault")
                pause_s = FAULT_RETRY_S
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()

    async def _keep_soon(self) -> None:
        while self._soon:
            await self.tell(self._soon[0])
            self._soon.popleft()

    async def _tidy(self) -> None:
        if self._tidied_at and time.monotonic() - self._tidied_at < DAY_S:
            return
        await self._outbox.forget(moment(-KEEP_DAYS * DAY_S))
        self._tidied_at = time.monotonic()

    async def _begin_talks(self) -> None:
        """One conversation at a time with each destination that something is due for."""
        due = await self._outbox.due(moment(), BATCH, tuple(self._talks))
        due.sort(key=lambda letter: letter.destination)
        for destination, letters in groupby(due, key=lambda letter: letter.destination):
            talk = asyncio.create_task(
                self._deliver(destination, list(letters)), name=f"webhook {destination}"
            )
            self._talks[destination] = talk
            talk.add_done_callback(lambda _, name=destination: self._ended(name))

    def _ended(self, destination: str) -> None:
        del self._talks[destination]
        self._woken.set()

    async def _pause_s(self) -> float:
        due_at = await self._outbox.next_due_at(tuple(self._talks))
        if due_at is None:
            return LOOK_S
        ahead = datetime.fromisoformat(due_at) - datetime.now(UTC)
        return min(max(ahead.total_seconds(), 0.0), LOOK_S)

    async def _deliver(self, destination: str, letters: list[Letter]) -> None:
        for place, letter in enumerate(letters):
            if self._stopping:
                return
            attempt = await self._attempt(letter)
            outcome = self._after(letter, attempt)
            await self._kept(outcome)
            if outcome.state == "Delivered":
                continue
            if outcome.state == "Dead":
                self.dead_count += 1
                log.error(
                    "webhook given up",
                    destination=destination,
                    attempts=outcome.attempts,
                    reason=outcome.outcome,
                )
                continue
            log.warning("webhook not delivered", destination=destination, reason=outcome.outcome)
            if attempt.alone:
                continue
            # The others would wait for the same answer, one after the other.
            for other in letters[place + 1 :]:
                await self._kept(msgspec.structs.replace(other, due_at=outcome.due_at))
            return

    async def _attempt(self, letter: Letter) -> Posted:
        try:
            destination = await self._find(letter.destination)
            if destination is None:
                return Posted(f"{letter.destination} is not there any more", final=True)
            return await posted(self._dialer, destination, letter)
        except LinariteError as refusal:
            return Posted(refusal.message)
        except Exception:
            # An attempt like any other: what ends the conversation would begin it anew at once.
            log.exception("webhook not sent by our own fault", destination=letter.destination)
            return Posted("our own fault; the server's log says more")

    async def _find(self, name: str) -> Destination | None:
        found = self._declared.get(name)
        for finder in self._finders:
            found = found or await finder(name)
        return found

    def _after(self, letter: Letter, attempt: Posted) -> Letter:
        attempts = letter.attempts + 1
        ended = "Delivered" if attempt.taken else "Dead"
        due_at = moment()
        if not (attempt.taken or attempt.final) and attempts <= len(self._retry_s):
            ended = "Waiting"
            pause_s = self._retry_s[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads attempts
            due_at = moment(max(pause_s, min(attempt.retry_after_s, RETRY_AFTER_MAX_S)))
        return msgspec.structs.replace(
            letter, state=ended, attempts=attempts, due_at=due_at, outcome=attempt.outcome
        )

    async def _kept(self, letter: Letter) -> None:
        """Write how it stands, however long the disk refuses: else it would be sent for ever."""
        while True:
            try:
                await self._outbox.keep(letter)
            except ServiceUnavailable as refusal:
                log.warning("webhooks wait for their store", reason=refusal.message)
                await asyncio.sleep(STORE_RETRY_S)
            else:
                return


def _letters(notice: Notice, names: Sequence[str]) -> list[Letter]:
    if not names:
        return []
    at = moment()
    # As Standard Webhooks recommends a payload, and as OpenAI's clients read an event.
    body = msgspec.json.encode(
        {
            "object": "event",
            "id": event_id(notice.key),
            "type": notice.type,
            "created_at": int(time.time()),
            "timestamp": at,
            "data": notice.data,
        }
    )
    return [
        Letter(
            id=letter_id(notice.key, name),
            destination=name,
            type=notice.type,
            body=body.decode(),
            account_id=notice.account_id,
            made_at=at,
            due_at=at,
        )
        for name in names
    ]


def letter_id(key: str, destination: str) -> str:
    """The id of a message: of a key and a destination always the same."""
    if not key:
        return f"msg_{uuid4().hex}"
    return f"msg_{hashlib.sha256(f'{destination} {key}'.encode()).hexdigest()[:32]}"


def event_id(key: str) -> str:
    """The id of an event, the same for each who is told of it."""
    if not key:
        return f"evt_{uuid4().hex}"
    return f"evt_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def moment(ahead_s: float = 0.0) -> str:
    """Now, or that many seconds ahead, as letters write it."""
    at = datetime.now(UTC) + timedelta(seconds=ahead_s)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
