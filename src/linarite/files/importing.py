"""Files by URL: fetched by egress's rules, after the answer, and again after a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite import __version__
from linarite.domain.dial import Errand
from linarite.domain.errors import InvalidRequest, LinariteError, ServiceUnavailable
from linarite.domain.stored_object import Page, StoredObject
from linarite.domain.target import target_of
from linarite.domain.upload_errors import AccountIsFull
from linarite.engines.http_client import HttpClient, HttpClientError, dialer_connector
from linarite.files.keeper import BATCH, ERROR, EVERYBODY, PENDING, Bound, NewFile, Received

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from linarite.domain.dial import Dialer
    from linarite.domain.secret_box import SecretBox
    from linarite.domain.stored_object import StoredObjects
    from linarite.domain.target import Target
    from linarite.files.keeper import FileKeeper

    BoxOf = Callable[[str], Awaitable[SecretBox | None]]

IMPORT = "file_import"
SEALED_NAME = "file import {}"
AT_ONCE = 4
"""imports of all accounts that are fetched at a time"""
ATTEMPTS = 3
RETRY_S = 2.0
"""after the first failure; twice as much after each further one"""
AGAIN_S = 60.0
"""after the disk, or the account's key, was not there"""
FIRST_BYTE_S = 30.0
IDLE_S = 30.0
OK = 200
TRY_AGAIN = frozenset((408, 429, 500, 502, 503, 504))

log = structlog.get_logger("linarite.files")


class FileImporter:
    """Fetches files that are asked for by URL. `start`, then `stop` once.

    What is to be fetched is an object of its own beside the pending file, with the URL sealed
    under the account's key: such URLs are often keys themselves.
    """

    def __init__(
        self,
        files: FileKeeper,
        objects: StoredObjects,
        dialer: Dialer,
        box_of: BoxOf,
        *,
        retry_s: float = RETRY_S,
    ) -> None:
        self._files = files
        self._objects = objects
        self._dialer = dialer
        self._box_of = box_of
        self._retry_s = retry_s
        self._places = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._begun: set[str] = set()
        """ids of files that are on their way"""

    async def start(self) -> None:
        """Go on with what an earlier server left."""
        for account_id in await self._objects.accounts():
            self._run(self._go_on(account_id), f"imports of {account_id}")

    async def stop(self) -> None:
        """Leave what is not fetched to the next server."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ask(self, new: NewFile, url: str) -> StoredObject:
        """The file, pending. Raises EgressRefused for no URL, TooManyFiles, AccountIsFull."""
        target_of(url)
        await self._files.require_room(new)
        most = self._files.options.imports_max
        waiting = await self._objects.list(new.account_id, IMPORT, Page(limit=most))
        if len(waiting) >= most:
            raise AccountIsFull(
                "This account has as many files on their way as it may have",
                most,
                "Wait for some, or raise files.imports_max.",
            )
        file = self._files.made(new, Received("", 0, b""))
        file = msgspec.structs.replace(file, body=file.body | {"status": PENDING})
        box = await self._box_of(new.account_id)
        if box is None:
            raise ServiceUnavailable("the account has no key to seal the URL with")
        sealed = await asyncio.to_thread(box.seal, SEALED_NAME.format(file.id), url.encode())
        order = StoredObject(
            account_id=new.account_id,
            kind=IMPORT,
            id=file.id,
            created_at=file.created_at,
            owner=new.owner,
            body={"url": sealed},
        )
        await self._objects.write(added=[file, order])
        self._begin(order)
        return file

    async def _go_on(self, account_id: str) -> None:
        """Begin what an account had on its way, as soon as that can be read."""
        most = Page(limit=self._files.options.imports_max, ascending=True)
        while True:
            try:
                orders = await self._objects.list(account_id, IMPORT, most)
            except LinariteError as problem:  # its own key is not there, or the disk fails
                log.warning("imports wait", account=account_id, reason=problem.message)
                await asyncio.sleep(AGAIN_S)
            else:
                break
        for order in orders:
            if order.id not in self._begun:
                self._begin(order)

    def _begin(self, order: StoredObject) -> None:
        self._begun.add(order.id)
        self._run(self._carry_out(order), f"import {order.id}")

    def _run(self, work: Coroutine[object, object, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, order: StoredObject) -> None:
        """Fetch it, as soon as disk and account let it be kept."""
        while True:
            async with self._places:
                try:
                    await self._fetch(order)
                except LinariteError as problem:
                    log.warning("file not imported yet", file=order.id, reason=problem.message)
                except Exception:
                    log.exception("file not imported", file=order.id)
                    break
                else:
                    break
            await asyncio.sleep(AGAIN_S)
        self._begun.discard(order.id)

    async def _fetch(self, order: StoredObject) -> None:
        """Fetch one, and keep how that ended: the file, or why there is none."""
        file = await self._files.find(order.account_id, order.id, EVERYBODY)
        box = None if file is None else await self._box_of(order.account_id)
        if file is None or box is None:  # deleted, or its account is about to go
            await self._objects.write(removed=[order])
            return
        url = box.unseal(SEALED_NAME.format(order.id), order.body["url"]).decode()
        try:
            received = await self._received(file, target_of(url))
        except ServiceUnavailable:
            raise
        except (LinariteError, TimeoutError) as problem:
            failed = _failed(file, _reason(problem, self._files.options.import_s))
            await self._end(order, failed)
            return
        try:
            self._files.require_fit(_new_file(file), received)
            kept = await self._end(order, self._files.arrived(file, received))
        except InvalidRequest as problem:
            kept = False
            await self._end(order, _failed(file, problem.message))
        except BaseException:
            await self._files.discard(received)
            raise
        if kept:
            self._files.settled(received)
        else:
            await self._files.discard(received)

    async def _end(self, order: StoredObject, file: StoredObject) -> bool:
        """Keep the file as it has become; False when it was deleted meanwhile."""
        kept = await self._objects.write(replaced=[file], removed=[order])
        if not kept:
            await self._objects.write(removed=[order])
        return kept

    async def _received(self, file: StoredObject, target: Target) -> Received:
        """The bytes, within the time and the size for an import, after three attempts at most."""
        options = self._files.options
        bound = Bound(options.file_bytes_max)
        if file.label == BATCH:
            bound = Bound(options.batch_bytes_max, "files.batch_bytes_max")
        now = asyncio.get_running_loop().time
        until = now() + options.import_s
        attempt = 1
        while True:
            try:
                pieces = self._pieces(file.account_id, target, until)
                return await self._files.receive(file.account_id, pieces, bound)
            except (HttpClientError, _AnsweredOtherwise) as problem:
                final = isinstance(problem, _AnsweredOtherwise) and not problem.passing
                wait_s = self._retry_s * 2 ** (attempt - 1)
                if final or attempt == ATTEMPTS or now() + wait_s > until:
                    raise
            await asyncio.sleep(wait_s)
            attempt += 1

    async def _pieces(self, account_id: str, target: Target, until: float) -> AsyncIterator[bytes]:
        """What the URL answers. No redirect is followed: the account allows hosts by name."""
        now, errand = asyncio.get_running_loop().time, Errand("file_import", account_id)
        connector = dialer_connector(self._dialer, target, lambda: errand)
        client = HttpClient(connector, host=target.host_header, keep_alive=False)
        headers = [("user-agent", f"linarite/{__version__}"), ("accept-encoding", "identity")]
        try:
            answer = await client.send(
                "GET", target.path, headers, b"", first_byte_s=FIRST_BYTE_S, idle_s=IDLE_S
            )
            try:
                if answer.status != OK:
                    raise _AnsweredOtherwise(answer.status)
                async for piece in answer.chunks():
                    if now() > until:
                        raise TimeoutError
                    yield piece
            finally:
                answer.close()
        finally:
            await client.close()


class _AnsweredOtherwise(LinariteError):
    """The URL answers, but not with a file."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the URL answered with status {status}")
        self.passing = status in TRY_AGAIN


def _reason(problem: Exception, import_s: float) -> str:
    """Why there is no file, for whoever asked for it."""
    if isinstance(problem, TimeoutError):
        return f"the file did not come within {import_s:g} seconds (files.import_s)"
    if isinstance(problem, HttpClientError):
        return f"the connection failed: {problem.__cause__ or type(problem).__name__}"
    return problem.message if isinstance(problem, LinariteError) else str(problem)


def _failed(file: StoredObject, why: str) -> StoredObject:
    told = {"status": ERROR, "status_details": f"fileImportFailed: {why}"}
    return msgspec.structs.replace(file, body=file.body | told)


def _new_file(file: StoredObject) -> NewFile:
    return NewFile(
        account_id=file.account_id,
        owner=file.owner,
        purpose=file.label,
        filename=file.body["filename"],
    )
