"""Reading files: each in a process that has nothing to lose."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
import pytest

from linarite.domain.vector_store_errors import DocumentsNotInstalled, FileUnreadable
from linarite.engines import forked_children
from linarite.vector_stores import extraction
from linarite.vector_stores.extraction import ProcessExtractor, require_documents
from linarite.vector_stores.options import VectorStores
from tests.vector_stores.documents import docx, email, pdf, pptx, xlsx, zipped
from tests.vector_stores.reader_folder import reader_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from linarite.domain.vector_store import FileProblem

pytestmark = pytest.mark.anyio
TEXT = "Parcels are blue"
FoundT = TypeVar("FoundT")


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_to_unpack() -> None:
    """On a fresh machine a process unpacks native code: none of those that are looked for here."""
    told = extraction.ENVIRONMENT | {"TMPDIR": str(reader_folder())}
    command = [sys.executable, "-P", "-m", extraction.READER, "1", "1", str(reader_folder())]
    subprocess.run(command, stdin=subprocess.DEVNULL, env=told, check=False, timeout=60)


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    """It as it is read."""
    for at in range(0, len(content), 65_536):
        yield content[at : at + 65_536]


async def read(filename: str, content: bytes, **options: int) -> str:
    """The text of a file."""
    bounded = msgspec.convert(options, VectorStores)
    extractor = ProcessExtractor(bounded, reader_folder())
    try:
        return await extractor.extract(filename, lambda: pieces(content))
    finally:
        await extractor.close()


async def refused(filename: str, content: bytes, **options: int) -> FileProblem:
    """Why there is none."""
    with pytest.raises(FileUnreadable) as problem:
        await read(filename, content, **options)
    return problem.value.problem


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("a.txt", TEXT.encode()),
        ("a.md", f"# Title\n\n{TEXT}".encode()),
        ("a.py", f"print('{TEXT}')".encode()),
        ("a.csv", f"a,b\n1,{TEXT}".encode()),
        ("LICENSE", TEXT.encode()),
        ("mark.txt", TEXT.encode("utf-8-sig")),
        ("wide.txt", TEXT.encode("utf-16")),
        ("a.html", f"<html><body><script>no()</script><p>{TEXT}</p></body></html>".encode()),
        ("a.pdf", pdf(TEXT)),
        ("unnamed", pdf(TEXT)),
        ("a.docx", docx(TEXT)),
        ("a.pptx", pptx(TEXT)),
        ("a.xlsx", xlsx(TEXT)),
        ("a.eml", email(TEXT)),
        ("a.rtf", rb"{\rtf1 Parcels are blue}"),
    ],
)
async def test_text_is_read(filename: str, content: bytes) -> None:
    """Of every format, and nothing of what is only markup."""
    text = await read(filename, content)
    assert TEXT in text
    assert "no()" not in text
    assert "\ufeff" not in text


@pytest.mark.parametrize(
    ("filename", "content", "code", "why"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n\0", "unsupported_file", "no text"),
        ("a.exe", b"MZ\0\0", "unsupported_file", "a.exe"),
        ("a.zip", zipped({"a": "b"}), "unsupported_file", ".docx"),
        ("a.txt", b"caf\xe9 \xff\xfe", "unsupported_file", "no text"),
        ("a.pdf", b"%PDF-1.4 nonsense", "invalid_file", "PDF"),
        ("a.docx", b"PK\x03\x04 nonsense", "invalid_file", "can't be read"),
        ("a.docx", docx("A" * 150_000_000), "invalid_file", "limit"),
        ("a.txt", b" \n ", "invalid_file", "no text"),
        ("a.pdf", pdf(""), "invalid_file", "no text"),
    ],
)
async def test_what_gives_no_text_says_why(
    filename: str, content: bytes, code: str, why: str
) -> None:
    """A bomb, a broken file, an empty one: that file's fault alone."""
    problem = await refused(filename, content)
    assert problem.code == code
    assert why in problem.message


async def test_bounds_of_settings_hold() -> None:
    """Time, memory and text; each refusal names its setting or what became of the reader."""
    endless = pdf("endless " * 500, pages=200_000)
    began = time.monotonic()
    late = await refused("a.pdf", endless, extraction_seconds=1)
    assert time.monotonic() - began < 20
    assert late.code == "invalid_file"
    assert "vector_stores.extraction_seconds" in late.message or "SIGKILL" in late.message
    long = await refused("a.txt", b"word " * 10_000, text_bytes_max=1_000)
    assert "vector_stores.text_bytes_max" in long.message
    large = await refused("a.txt", b"word " * 60_000_000, extraction_memory_bytes=2**28)
    assert large.code == "invalid_file"


async def test_a_reader_that_dies_is_the_files_fault() -> None:
    """Whatever it dies of; the others, and those that come after it, are read."""
    extractor = ProcessExtractor(VectorStores(), reader_folder())
    endless = pdf("endless " * 500, pages=100_000)

    async def extracted(filename: str, content: bytes) -> str:
        return await extractor.extract(filename, lambda: pieces(content))

    assert TEXT in await extracted("a.pdf", pdf(TEXT))  # the library is loaded
    (parent,) = parents()
    dying = asyncio.create_task(extracted("b.pdf", endless))
    (reader,) = await until(lambda: started_by(parent))
    assert TEXT in await extracted("c.pdf", pdf(TEXT))
    os.kill(reader, signal.SIGSEGV)
    with pytest.raises(FileUnreadable) as problem:
        await dying
    assert problem.value.problem.code == "invalid_file"
    assert "SIGSEGV" in problem.value.message
    assert TEXT in await extracted("a.pdf", pdf(TEXT))
    assert threads_of(parent) == 1  # or what it forks could stand still
    await extractor.close()
    assert not parents()


async def test_what_nobody_waits_for_ends() -> None:
    """A file that is given up has no process any more; with the extractor all of them go."""
    extractor = ProcessExtractor(VectorStores(), reader_folder())
    endless = pdf("endless " * 500, pages=100_000)
    reading = asyncio.create_task(extractor.extract("b.pdf", lambda: pieces(endless)))
    (parent,) = await until(parents)
    await until(lambda: started_by(parent))
    reading.cancel()
    await asyncio.wait({reading})
    await until(lambda: not started_by(parent))
    await extractor.close()


async def test_files_are_read_though_their_parent_dies() -> None:
    """The process that readers are forked from is started again, and the file read once more."""
    extractor = ProcessExtractor(VectorStores(), reader_folder())
    endless = pdf("endless " * 50, pages=2_000)
    reading = asyncio.create_task(extractor.extract("b.pdf", lambda: pieces(endless)))
    (parent,) = await until(parents)
    (reader,) = await until(lambda: started_by(parent))
    os.kill(parent, signal.SIGKILL)
    assert "endless" in await reading
    assert command_of(reader) == ""
    await extractor.close()


async def test_a_parent_that_cannot_start_is_the_servers_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is tried some times, and told as what it is."""
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -SEGV $$\n")
    dying.chmod(0o700)
    monkeypatch.setattr(forked_children.sys, "executable", str(dying))
    problem = await refused("a.txt", b"x" * 1_000_000)
    assert problem.code == "server_error"
    assert "SIGSEGV" in problem.message
    monkeypatch.setattr(forked_children.sys, "executable", str(tmp_path / "absent"))
    assert (await refused("a.txt", b"x")).code == "server_error"


async def test_what_a_files_content_raises_is_told() -> None:
    """A file that goes while it is read."""
    extractor = ProcessExtractor(VectorStores(), reader_folder())

    async def going() -> AsyncIterator[bytes]:
        yield b"some"
        raise KeyError

    with pytest.raises(KeyError):
        await extractor.extract("a.txt", going)
    await extractor.close()


async def until(there: Callable[[], FoundT]) -> FoundT:
    """What there is once there is something."""
    async with asyncio.timeout(20):
        while not (found := there()):  # noqa: ASYNC110 - other processes have no event for it
            await asyncio.sleep(0.01)
        return found


def parents() -> list[int]:
    """Ids of the processes that readers are forked from."""
    own = started_by(os.getpid())
    return [each for each in own if "linarite.vector_stores.reader" in command_of(each)]


def started_by(process: int) -> list[int]:
    """Ids of the processes that one has started."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(each) for task in tasks for each in (task / "children").read_text().split()]


def command_of(process: int) -> str:
    """Nothing of one that there is no more."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


def threads_of(process: int) -> int:
    """How many it has."""
    return len(list(Path(f"/proc/{process}/task").iterdir()))


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra, as pip wants it."""
    require_documents()
    monkeypatch.setattr(extraction, "NEEDED", ("no_such_library",))
    with pytest.raises(DocumentsNotInstalled, match=r"linarite\[documents\]"):
        require_documents()
