"""`python -m linarite.vector_stores.reader NAME MEMORY_BYTES CPU_SECONDS`.

Says one line of JSON, `{"code": …, "message": …}` or `{}`, and then the text.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys

from linarite.engines.worker_process.no_network import give_up_network
from linarite.vector_stores.reader.formats import Unsupported, kind_of, text_of

WHY_MAX = 300


def main() -> None:
    """Read, and end: whatever goes wrong is the file's."""
    _, filename, memory_bytes, cpu_seconds = sys.argv
    _give_up(int(memory_bytes), int(cpu_seconds))
    try:
        text = _read(filename, sys.stdin.buffer.read())
    except Unsupported as problem:
        _say({"code": "unsupported_file", "message": str(problem)})
    except MemoryError:
        _say({"code": "invalid_file", "message": "The file takes too much memory to be read."})
    except Exception as problem:  # noqa: BLE001 - the library's own, and of the file
        _say({"code": "invalid_file", "message": f"The file can't be read: {_why(problem)}"})
    else:
        _say({}, text)


def _give_up(memory_bytes: int, cpu_seconds: int) -> None:
    """Bound what it may use before the first byte of the file is looked at."""
    give_up_network()
    for limit, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
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
    # Only here: it takes a quarter of a second, and texts do without.
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


def _say(head: dict[str, str], text: str = "") -> None:
    output = sys.stdout.buffer
    output.write(json.dumps(head).encode() + b"\n")
    output.write(text.encode("utf-8", "replace"))
    output.flush()


if __name__ == "__main__":
    main()
