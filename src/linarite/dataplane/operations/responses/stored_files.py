"""Stored files that a request puts before a model: found, read, and bounded together."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

from linarite.domain.errors import InvalidRequest
from linarite.domain.file_errors import FileNotReady
from linarite.files.keeper import PROCESSED, status_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.dataplane.parts.response_items import Item
    from linarite.domain.stored_object import StoredObject
    from linarite.files import FileKeeper

FILE_BYTES_MAX = 50 * 1024 * 1024
"""of the stored files that one request puts before a model, together, as on Azure; one that is
named twice counts twice"""


class StoredFiles:
    """Those of one request's items."""

    def __init__(self, files: FileKeeper, account_id: str, sees: str | None) -> None:
        """`sees`: whose files the caller sees."""
        self._files = files
        self._account_id = account_id
        self._sees = sees
        self._bytes = 0

    async def in_parts(self, parts: Sequence[Item]) -> list[Item]:
        """The same parts with the files' bytes in them. Raises InvalidRequest."""
        return [await self._in_part(part) if part.get("file_id") else part for part in parts]

    async def _in_part(self, part: Item) -> Item:
        file = await self._found(part["file_id"])
        try:
            data = b"".join([piece async for piece in self._files.content(file)])
        except KeyError:  # it was deleted at this very moment
            raise _absent(file.id) from None
        encoded = await asyncio.to_thread(base64.b64encode, data)
        address = f"data:{file.body['media_type']};base64,{encoded.decode()}"
        if part["type"] == "input_image":
            return part | {"image_url": address}
        return part | {"filename": file.body["filename"], "file_data": address}

    async def _found(self, file_id: str) -> StoredObject:
        file = await self._files.find(self._account_id, file_id, self._sees)
        if file is None:
            raise _absent(file_id)
        if status_of(file) != PROCESSED:
            why = str(file.body.get("status_details", ""))
            raise FileNotReady(file.id, status_of(file), why)
        self._bytes += int(file.body["bytes"])
        if self._bytes > FILE_BYTES_MAX:
            raise InvalidRequest(
                f"The files of this request, up to '{file.id}', have {self._bytes} bytes together; "
                f"a model can be sent {FILE_BYTES_MAX}.",
                param="input",
            )
        return file


def _absent(file_id: str) -> InvalidRequest:
    return InvalidRequest(
        f"No such File object: {file_id[:100]}", param="input", code="file_not_found"
    )
