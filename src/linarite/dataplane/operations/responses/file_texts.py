"""Documents of a request as text, for models that can't be given files.

They are read as files of vector stores are: in a process of its own, with limits.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import mimetypes
from typing import TYPE_CHECKING

from linarite.domain.errors import InvalidRequest
from linarite.domain.vector_store_errors import DocumentsNotInstalled, FileUnreadable
from linarite.vector_stores.extraction import require_documents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from linarite.dataplane.parts.response_items import Item
    from linarite.domain.vector_store import TextExtractor

FILE = "input_file"


async def with_texts(parts: Sequence[Item], extractor: TextExtractor) -> list[Item]:
    """The same parts, with the text in a document in its place. Raises InvalidRequest."""
    return [await _text_of(part, extractor) if part["type"] == FILE else part for part in parts]


async def _text_of(part: Item, extractor: TextExtractor) -> Item:
    kind, data = await asyncio.to_thread(_decoded, part["file_data"])
    name = part.get("filename") or f"file{mimetypes.guess_extension(kind) or '.txt'}"
    try:
        require_documents()
        text = await extractor.extract(name, lambda: _in_one(data))
    except DocumentsNotInstalled:
        raise InvalidRequest(
            "Invalid content type. This model takes text only, and what reads documents is not "
            "installed with this server: pip install 'linarite[documents]'.",
            param="input",
        ) from None
    except FileUnreadable as problem:
        raise InvalidRequest(
            f"The file '{name[:100]}' can't be given to the model, which takes text only: "
            f"{problem.problem.message}",
            param="input",
            code="invalid_file",
        ) from None
    return {"type": "input_text", "text": f"File {name}:\n\n{text}"}


def _decoded(data: str) -> tuple[str, bytes]:
    """Media type and bytes of a data URL, or of bare base64."""
    head, comma, encoded = data.partition(",")
    kind = head.removeprefix("data:").partition(";")[0] if comma else ""
    try:
        return kind, base64.b64decode(encoded if comma else data, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest(
            "Invalid 'file_data': expected a data URL with base64, such as "
            "'data:application/pdf;base64,…'.",
            param="input",
            code="invalid_value",
        ) from None


async def _in_one(data: bytes) -> AsyncIterator[bytes]:
    yield data
