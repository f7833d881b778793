"""An account's files and vector stores: what a sync asks of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.cli.data_plane.client import file_form

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from linarite.cli.data_plane.client import DataPlane

AGAIN = frozenset((429, 500, 502, 503, 504))
ATTEMPTS = 6
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 20.0
OPEN = "in_progress"
LOOK_FIRST_S, LOOK_LONGEST_S, LOOK_GROWTH = 0.1, 3.0, 1.5


class StoreService:
    """Every method raises ServerRefused with what the account says, SetupError out of reach.

    What has no room now is asked for again, a few times.
    """

    def __init__(self, account: DataPlane) -> None:
        self._account = account

    async def stores(self, name: str) -> list[dict[str, Any]]:
        """The stores of an id or a name."""
        if name.startswith("vs_"):
            try:
                return [await self._ask("GET", f"/vector_stores/{quote(name, safe='')}")]
            except ServerRefused as refused:
                if refused.status != NOT_FOUND:
                    raise
        return [each async for each in self._pages("/vector_stores") if each["name"] == name]

    async def create_store(self, name: str) -> dict[str, Any]:
        """A new one."""
        return await self._ask("POST", "/vector_stores", {"name": name})

    async def files_of(self, store_id: str) -> list[dict[str, Any]]:
        """The files of a store, with their attributes."""
        return [each async for each in self._pages(f"/vector_stores/{store_id}/files")]

    async def upload_document(self, name: str, content: bytes) -> str:
        """The id of a new file."""
        made = await self._ask("POST", "/files", *file_form(name, content, "assistants"))
        return str(made["id"])

    async def take_in(
        self, store_id: str, file_id: str, attributes: dict[str, str]
    ) -> dict[str, Any]:
        """Have a file come into a store; it, once it has come or failed."""
        asked = {"file_id": file_id, "attributes": attributes}
        path = f"/vector_stores/{store_id}/files"
        file = await self._ask("POST", path, asked)
        pause_s = LOOK_FIRST_S
        while file["status"] == OPEN:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * LOOK_GROWTH, LOOK_LONGEST_S)
            file = await self._ask("GET", f"{path}/{file_id}")
        return file

    async def remove(self, store_id: str, file_id: str) -> None:
        """Take a file out of a store, and delete it; what is gone already is no fault."""
        for path in (f"/vector_stores/{store_id}/files/{file_id}", f"/files/{file_id}"):
            try:
                await self._ask("DELETE", path)
            except ServerRefused as refused:
                if refused.status != NOT_FOUND:
                    raise

    async def _pages(self, path: str) -> AsyncIterator[dict[str, Any]]:
        after: str | None = None
        while True:
            page = await _again(lambda after=after: self._account.page(path, after))
            for each in page["data"]:
                yield each
            if not page["has_more"]:
                return
            after = page["last_id"]

    async def _ask(
        self, method: str, path: str, body: bytes | dict[str, Any] = b"", content_type: str = ""
    ) -> dict[str, Any]:
        return await _again(lambda: self._account.ask(method, path, body, content_type))


async def _again(ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """An answer; asked for again where there was no room."""
    pause_s = FIRST_PAUSE_S
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await ask()
        except ServerRefused as refused:
            if refused.status not in AGAIN or attempt == ATTEMPTS:
                raise
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    raise AssertionError  # the last attempt has returned or raised
