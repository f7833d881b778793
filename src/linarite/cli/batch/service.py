"""An account's files and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from linarite.cli.data_plane.client import PAGE, file_form
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.cli.data_plane.client import DataPlane


class BatchService:
    """Every method raises ServerRefused with what the account says, SetupError out of reach."""

    def __init__(self, account: DataPlane) -> None:
        self._account = account

    async def upload(self, file: Path, name: str) -> dict[str, Any]:
        """The new file, for a batch. All of it is in memory meanwhile."""
        return await self._account.ask("POST", "/files", *file_form(name, _content(file), "batch"))

    async def create(self, file_id: str, endpoint: str) -> dict[str, Any]:
        """A new batch."""
        asked = {"input_file_id": file_id, "endpoint": endpoint, "completion_window": "24h"}
        return await self._account.ask("POST", "/batches", asked)

    async def batch(self, batch_id: str) -> dict[str, Any]:
        """A batch as it stands."""
        return await self._account.ask("GET", f"/batches/{quote(batch_id, safe='')}")

    async def cancel(self, batch_id: str) -> dict[str, Any]:
        """The same, being cancelled."""
        return await self._account.ask("POST", f"/batches/{quote(batch_id, safe='')}/cancel")

    async def batches(self, count: int) -> list[dict[str, Any]]:
        """The newest ones."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        while len(found) < count:
            page = await self._account.page("/batches", after, min(PAGE, count - len(found)))
            found += page["data"]
            if not page["has_more"]:
                break
            after = page["last_id"]
        return found

    async def download(self, file_id: str, to: Path) -> int:
        """Write a file's content, piece by piece; how many bytes it was."""
        size = 0
        try:
            with to.open("wb") as file:
                async for piece in self._account.pieces(
                    f"/files/{quote(file_id, safe='')}/content"
                ):
                    file.write(piece)
                    size += len(piece)
        except OSError as problem:
            raise SetupError(f"{to} can't be written: {problem.strerror}.") from None
        return size


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise SetupError(f"{file} can't be read: {problem.strerror}.") from None
