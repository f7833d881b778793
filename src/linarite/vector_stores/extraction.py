"""Reading files in processes of their own, which a broken or hostile file can only end."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.vector_store import FileProblem
from linarite.domain.vector_store_errors import DocumentsNotInstalled, FileUnreadable
from linarite.engines.child_process import describe_exit, run_with

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.engines.child_process import Finished
    from linarite.vector_stores.options import VectorStores

READER = "linarite.vector_stores.reader"
NEEDED = ("kreuzberg", "numpy")
SEALING = "sqlcipher3"
HEAD_BYTES_MAX = 2_048
FILENAME_MAX = 255


class ProcessExtractor:
    """`TextExtractor`: a process for each file, some at a time."""

    def __init__(self, options: VectorStores) -> None:
        self._options = options
        self._turns = asyncio.Semaphore(options.extractions_at_once)

    async def extract(self, filename: str, content: AsyncIterator[bytes]) -> str:
        """See TextExtractor."""
        options = self._options
        # -P: no folder of the caller's is searched for modules.
        command = [sys.executable, "-P", "-m", READER, filename[-FILENAME_MAX:].replace("\0", "_")]
        command += [str(options.extraction_memory_bytes), str(options.extraction_seconds)]
        async with self._turns:
            try:
                ended = await run_with(
                    content,
                    command,
                    environment={"LC_ALL": "C.UTF-8", "RAYON_NUM_THREADS": "1"},
                    output_bytes_max=options.text_bytes_max + HEAD_BYTES_MAX,
                    within_s=options.extraction_seconds,
                )
            except OSError as error:
                problem = FileProblem("server_error", f"The file was not read: {error.strerror}.")
                raise FileUnreadable(problem) from error
        return self._text(ended)

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


def _invalid(why: str) -> FileUnreadable:
    return FileUnreadable(FileProblem("invalid_file", why))
