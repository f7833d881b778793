"""Responses that are made while nobody waits: queued, carried out, cancelled, taken up again.

A response itself is the record of the work: what it takes to make it is kept with it until it
ends, and its end is one write.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.domain.errors import ServiceUnavailable
from linarite.domain.notice import Notice
from linarite.domain.response_errors import TooManyInBackground
from linarite.domain.stored_object import Page
from linarite.responses.event_log import EventLog
from linarite.responses.keeper import RESPONSE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from linarite.domain.notice import Notifier
    from linarite.domain.stored_object import StoredObject, StoredObjects
    from linarite.responses.options import Responses

log = structlog.get_logger("linarite.responses")

UNFINISHED = "unfinished"
"""label of a response that is queued or in progress"""
UNTOLD = "untold"
"""label of a response that has ended, of which webhooks are still to be told"""
RUN = "run"
"""field of an unfinished response's body: what it takes to make it"""
SEALED_BODY = "sealed_body"
"""of what it takes to make it, the request, where that has secrets in it"""
CALLED = "called"
"""of what it takes to make it, ids of calls that may change something and are under way: there
from the first such call on"""
UNDER_WAY = ("in_progress", "calling")
UNKNOWN = "The server ended while this call was under way: whether it was carried out is not known."
NOT_AGAIN = (
    "The server ended while it made this response, which had called tools that may change "
    "something. So that nothing is done twice it is not made again; what was called stands in its "
    "output."
)
ATTEMPTS_MAX = 5
"""a response during which the server died so many times is given up: it may be what kills it"""
SERVER_GONE = 503
AT_ONCE_MAX = 32
"""of an account; others wait for their turn"""
TELL_AGAIN_S = 5.0
"""where what is told can't be kept just now"""
TOLD_AT_QUEUEING = 2
"""events that a response has before anybody makes it: created and queued"""


class BackgroundResponses:
    """The responses of all accounts that are made in the background."""

    def __init__(self, objects: StoredObjects, options: Responses) -> None:
        self.events = EventLog(objects)
        self.carry_out: Callable[[StoredObject], Awaitable[None]] | None = None
        """makes one, until it has ended or can't be made; set before any is queued"""
        self.notifier: Notifier | None = None
        """tells webhooks how each has ended; None where nobody listens"""
        self._objects = objects
        self._most = options.background_max
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._telling: set[asyncio.Task[None]] = set()

    async def queue(self, made: StoredObject, frames: Sequence[bytes]) -> None:
        """Keep a response that is to be made, and begin. Raises TooManyInBackground."""
        account = made.account_id
        waiting = await self._objects.count(account, RESPONSE, UNFINISHED, lasting=False)
        if waiting >= self._most:
            raise TooManyInBackground(self._most)
        first = [self.events.entry(made, 0, frames)] if frames else []
        await self._objects.write(added=[made, *first])
        self._begin(made)

    async def begun(self, made: StoredObject) -> StoredObject | None:
        """Note that somebody makes it; None when it has gone, or the server died with it often.

        Of a stream that has told more than that it is queued nothing else can follow.
        """
        run = made.body[RUN]
        if CALLED in run:
            await self.fail(called_before(made, run[CALLED]), "server_error", NOT_AGAIN)
            return None
        if run["attempts"] >= ATTEMPTS_MAX or await self.events.count(made) > TOLD_AT_QUEUEING:
            await self.fail(made, "server_error", "The server ended while it made this response.")
            return None
        body = made.body | {RUN: run | {"attempts": run["attempts"] + 1}}
        body["response"] = made.body["response"] | {"status": "in_progress"}
        begun = msgspec.structs.replace(made, body=body)
        return begun if await self._objects.write(replaced=[begun]) else None

    async def note_calls(
        self, made: StoredObject, items: Sequence[dict[str, Any]], *, under_way: bool
    ) -> None:
        """Keep what has been done, with calls that may have changed something.

        From the first of them on the response is not made anew by another server.
        """
        now = await self._objects.get(made.account_id, RESPONSE, made.id)
        if now is None or RUN not in now.body:
            return  # it was deleted, or cancelled, at this very moment
        calling = [each["id"] for each in items if each.get("status") in UNDER_WAY]
        run = now.body[RUN] | {CALLED: calling if under_way else []}
        body = now.body | {RUN: run, "response": now.body["response"] | {"output": list(items)}}
        await self._objects.write(replaced=[msgspec.structs.replace(now, body=body)])

    async def note(self, made: StoredObject, frames: Sequence[bytes]) -> None:
        """Keep events of one that is being made, and tell those who follow."""
        entry = self.events.entry(made, await self.events.count(made), frames)
        await self._objects.write(added=[entry])
        self.events.told(made.id)

    async def fail(self, made: StoredObject, code: str, message: str) -> None:
        """End it with an error."""
        error = {"code": code, "message": message}
        response = made.body["response"] | {"status": "failed", "error": error}
        number = await self.events.count(made)
        await self.end(made, response, [failed_frame(response, number)])

    async def end(
        self,
        made: StoredObject,
        response: dict[str, Any],
        frames: Sequence[bytes],
        added: Sequence[StoredObject] = (),
        needed: Sequence[StoredObject] = (),
    ) -> bool:
        """Keep it as it ended, with its last events and what else belongs to that, all at once.

        False, and nothing done, when it, or what is `needed`, has gone.
        """
        body = {name: value for name, value in made.body.items() if name != RUN}
        label = "" if self.notifier is None else UNTOLD
        ended = msgspec.structs.replace(made, label=label, body=body | {"response": response})
        last = self.events.entry(made, await self.events.count(made), frames, last=True)
        added = [*added, last] if made.body["streamed"] else added
        done = await self._objects.write(replaced=[ended], needed=needed, added=added)
        self.events.told(made.id)
        if done and label:
            self._begin_telling(ended)
        return done

    async def cancel(self, found: StoredObject) -> StoredObject:
        """Stop making it; as it is then, which is as it ended where it had ended before."""
        await self._stop(found.id)
        now = await self._objects.get(found.account_id, RESPONSE, found.id)
        if now is None or now.label != UNFINISHED:
            return now or found
        cancelled = now.body["response"] | {"status": "cancelled"}
        await self.end(now, cancelled, [])
        return msgspec.structs.replace(now, body=now.body | {"response": cancelled})

    async def forget(self, found: StoredObject) -> None:
        """Stop making one that is deleted, and forget its events."""
        await self._stop(found.id)
        await self._objects.remove(found.account_id, RESPONSE, found.id)
        await self.events.remove(found)

    async def recover(self) -> None:
        """Take up again what an earlier server left."""
        for account in await self._objects.accounts():
            page = Page(limit=self._most, ascending=True, label=UNFINISHED)
            for made in await self._objects.list(account, RESPONSE, page):
                self._begin(made)
            if self.notifier is not None:
                untold = msgspec.structs.replace(page, label=UNTOLD)
                for ended in await self._objects.list(account, RESPONSE, untold):
                    self._begin_telling(ended)

    async def stop(self) -> None:
        """Leave everything as it is; the next server goes on with it."""
        for telling in self._telling:
            telling.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
        for response_id in list(self._tasks):
            await self._stop(response_id)

    def _begin(self, made: StoredObject) -> None:
        task = asyncio.create_task(self._carried_out(made), name=f"response {made.id}")
        self._tasks[made.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(made.id, None))

    async def _carried_out(self, made: StoredObject) -> None:
        turn = self._turns.setdefault(made.account_id.lower(), asyncio.Semaphore(AT_ONCE_MAX))
        assert self.carry_out is not None  # noqa: S101 - set before anything is queued
        async with turn:
            begun = None
            try:
                begun = await self.begun(made)
                if begun is not None:
                    await self.carry_out(begun)
            except asyncio.CancelledError:
                if begun is not None:
                    await self._put_down(made)
                raise
            except Exception:
                log.exception("response failed by our own fault", resource=made.id)
                await self.fail(made, "server_error", "The server failed to make this response.")

    def _begin_telling(self, ended: StoredObject) -> None:
        task = asyncio.create_task(self._tell(ended), name=f"telling of {ended.id}")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, ended: StoredObject) -> None:
        """Have webhooks told, and note that they are: a death in between tells the same again."""
        assert self.notifier is not None  # noqa: S101 - who calls has looked
        kind = f"response.{ended.body['response']['status']}"
        notice = Notice(
            type=kind,
            data={"id": ended.id},
            account_id=ended.account_id,
            owner=ended.owner,
            key=f"{ended.account_id.lower()} {ended.id} {kind}",
        )
        while True:
            try:
                await self.notifier.tell(notice)
                await self._objects.write(replaced=[msgspec.structs.replace(ended, label="")])
            except ServiceUnavailable as refusal:
                log.warning("webhooks not told yet", resource=ended.id, reason=refusal.message)
                await asyncio.sleep(TELL_AGAIN_S)
            else:
                return

    async def _put_down(self, made: StoredObject) -> None:
        """The attempt does not count: the server stops, or somebody cancels."""
        now = await self._objects.get(made.account_id, RESPONSE, made.id)
        if now is not None and RUN in now.body:
            run = now.body[RUN] | {"attempts": made.body[RUN]["attempts"]}
            left = msgspec.structs.replace(now, body=now.body | {RUN: run})
            await self._objects.write(replaced=[left])

    async def _stop(self, response_id: str) -> None:
        task = self._tasks.get(response_id)
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))


def called_before(made: StoredObject, calling: Sequence[str]) -> StoredObject:
    """A response whose calls were broken off, which their items tell."""
    problem = {"type": "http_error", "code": SERVER_GONE, "message": UNKNOWN}
    response = made.body["response"]
    output = [
        each | {"status": "incomplete", "error": problem} if each["id"] in calling else each
        for each in response["output"]
    ]
    body = made.body | {"response": response | {"output": output}}
    return msgspec.structs.replace(made, body=body)


def sealed_name(response_id: str) -> str:
    """What a request is sealed for while its response is made."""
    return f"request of {response_id}"


def failed_frame(response: dict[str, Any], number: int) -> bytes:
    """The event that tells of it."""
    kind = "response.failed"
    event = {"type": kind, "sequence_number": number, "response": response}
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(event))
