"""What a process does that reads one file.

It says one line of JSON, `{"code": …, "message": …}` or `{}`, and then the text.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
from typing import TYPE_CHECKING, NamedTuple

from linarite.vector_stores.reader.formats import Unsupported, kind_of, text_of

if TYPE_CHECKING:
    from typing import BinaryIO

WHY_MAX = 300


class Bounds(NamedTuple):
    """What a file may take."""

    memory_bytes: int
    """address space"""
    cpu_seconds: int


def read_file(bounds: Bounds, filename: str, source: BinaryIO, target: BinaryIO) -> None:
    """Read it, and say what came of it: whatever goes wrong is the file's."""
    _give_up(bounds)
    try:
        text = _read(filename, source.read())
    except Unsupported as problem:
        _say(target, {"code": "unsupported_file", "message": str(problem)})
    except MemoryError:
        why = "The file takes too much memory to be read."
        _say(target, {"code": "invalid_file", "message": why})
    except Exception as problem:  # noqa: BLE001 - the library's own, and of the file
        why = f"The file can't be read: {_why(problem)}"
        _say(target, {"code": "invalid_file", "message": why})
    else:
        _say(target, {}, text)


def _give_up(bounds: Bounds) -> None:
    """Bound what it may use before the first byte of the file is looked at."""
    for limit, most in (
        (resource.RLIMIT_AS, bounds.memory_bytes),
        (resource.RLIMIT_CPU, bounds.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),  # it writes no file
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))
    with contextlib.suppress(OSError):
        os.nice(5)


def _read(filename: str, content: bytes) -> str:
    kind = kind_of(filename, content)
    if not kind.media_type:
        return text_of(content) or ""
    # Only here: it takes a tenth of a second, and texts do without.
    from kreuzberg import ExtractionConfig, extract_bytes_sync  # noqa: PLC0415 - as above

    config = ExtractionConfig(
        use_cache=False,
        disable_ocr=True,  # pyright: ignore[reportCallIssue] - it is there, and not in the stubs
        output_format="markdown",
    )
    return extract_bytes_sync(content, kind.media_type, config=config).content


def _why(problem: Exception) -> str:
    said = str(problem).splitlines()
    return (said[0] if said else type(problem).__name__)[:WHY_MAX]


def _say(target: BinaryIO, head: dict[str, str], text: str = "") -> None:
    target.write(json.dumps(head).encode() + b"\n")
    target.write(text.encode("utf-8", "replace"))
    target.flush()
