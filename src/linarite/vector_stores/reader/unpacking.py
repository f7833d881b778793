"""What the library unpacks to disk when it first reads a PDF, unpacked before any file is read.

Who reads a file may write none, so the first PDFs on a fresh machine could not be read.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from linarite.engines.worker_process.no_network import give_up_network

_UNPACKED = Path("kreuzberg-pdfium", "libpdfium.so")
"""where the library looks, in the folder that TMPDIR names"""
_SECONDS_MAX = 60
_PAGE = b"""\
%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def unpack(folder: Path) -> None:
    """Read a page of our own, in a process of its own, where nothing is unpacked yet.

    `folder` is made where it isn't there, and is this process's TMPDIR.

    In a fork, for the library starts threads when it reads, and those that fork must have none.
    """
    if (folder / _UNPACKED).exists():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    reader = os.fork()
    if reader == 0:
        signal.alarm(_SECONDS_MAX)
        give_up_network()
        with contextlib.suppress(Exception):
            _read_page()
        os._exit(0)
    os.waitpid(reader, 0)


def _read_page() -> None:
    from kreuzberg import ExtractionConfig, extract_bytes_sync  # noqa: PLC0415 - in the fork only

    config = ExtractionConfig(use_cache=False)
    extract_bytes_sync(_PAGE, "application/pdf", config=config)
