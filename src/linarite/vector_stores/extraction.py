"""Reading files in processes of their own, which a broken or hostile file can only end."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.vector_store import FileProblem
from linarite.domain.vector_store_errors import DocumentsNotInstalled, FileUnreadable
from linarite.engines.child_process import describe_exit
from linarite.engines.forked_children import ForkedChildren

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from linarite.engines.forked_children import Finished
    from linarite.vector_stores.options import VectorStores

READER = "linarite.vector_stores.reader"
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "RAYON_NUM_THREADS": "1"}
NEEDED = ("kreuzberg", "numpy")
SEALING = "sqlcipher3"
HEAD_BYTES_MAX = 2_048
FILENAME_MAX = 255
TRIES_MAX = 3
"""where the process that readers are forked from ends while a file is read"""


class ProcessExtractor:
    """`TextExtractor`: a process for each file, some at a time. `close` ends them."""

    def __init__(self, options: VectorStores, folder: Path) -> None:
        """`folder` is where the library's native code is unpacked: nobody else may write there.

        In the one that all users of a machine share, whoever came first could put code of his own.
        """
        self._options = options
        self._turns = asyncio.Semaphore(options.extractions_at_once)
        bounds = (str(options.extraction_memory_bytes), str(options.extraction_seconds))
        environment = ENVIRONMENT | {"TMPDIR": str(folder)}
        self._readers = ForkedChildren(READER, (*bounds, str(folder)), environment)
        self.close = self._readers.close

    async def extract(self, filename: str, content: Callable[[], AsyncIterator[bytes]]) -> str:
        """See TextExtractor."""
        name = filename[-FILENAME_MAX:].replace("\0", "_")
        tries = 0
        while True:
            async with self._turns:
                ended = await self._read(name, content())
            tries += 1
            if not ended.lost:
                return self._text(ended)
            if tries == TRIES_MAX:
                parent = "the process that readers are forked from"
                raise _not_read(f"{parent} {describe_exit(ended.code)}")

    async def _read(self, filename: str, content: AsyncIterator[bytes]) -> Finished:
        options = self._options
        try:
            return await self._readers.hand(
                filename,
                content,
                output_bytes_max=options.text_bytes_max + HEAD_BYTES_MAX,
                within_s=options.extraction_seconds,
            )
        except OSError as error:
            raise _not_read(str(error.strerror)) from error

    def _text(self, ended: Finished) -> str:
        options = self._options
        if ended.late:
            raise _invalid(
                f"The file took longer than {options.extraction_seconds} s to be read "
                "(vector_stores.extraction_seconds)."
            )
        if ended.too_much:
            raise _invalid(
                f"The file has more than {options.text_bytes_max} bytes of text "
                "(vector_stores.text_bytes_max)."
            )
        head, line, text = ended.output.partition(b"\n")
        if ended.code != 0 or not line:
            raise _invalid(f"The file could not be read: its reader {describe_exit(ended.code)}.")
        problem = msgspec.json.decode(head)
        if problem:
            raise FileUnreadable(msgspec.convert(problem, FileProblem))
        found = text.decode()
        if not found.strip():
            raise _invalid("The file has no text.")
        return found


def require_documents(*, sealing: bool = False) -> None:
    """Raise DocumentsNotInstalled where the extra is missing, or is from before it sealed."""
    if not all(map(find_spec, (*NEEDED, SEALING) if sealing else NEEDED)):
        raise DocumentsNotInstalled


def _not_read(why: str) -> FileUnreadable:
    return FileUnreadable(FileProblem("server_error", f"The file was not read: {why}."))


def _invalid(why: str) -> FileUnreadable:
    return FileUnreadable(FileProblem("invalid_file", why))
