"""Reading files: each in a process that has nothing to lose."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.vector_store_errors import DocumentsNotInstalled, FileUnreadable
from linarite.vector_stores import extraction
from linarite.vector_stores.extraction import ProcessExtractor, require_documents
from linarite.vector_stores.options import VectorStores
from tests.vector_stores.documents import docx, email, pdf, pptx, xlsx, zipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from linarite.domain.vector_store import FileProblem

pytestmark = pytest.mark.anyio
TEXT = "Parcels are blue"


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    """It as it is read."""
    for at in range(0, len(content), 65_536):
        yield content[at : at + 65_536]


async def read(filename: str, content: bytes, **options: int) -> str:
    """The text of a file."""
    bounded = msgspec.convert(options, VectorStores)
    return await ProcessExtractor(bounded).extract(filename, pieces(content))


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


async def test_a_reader_that_dies_is_the_files_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever it dies of."""
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -SEGV $$\n")
    dying.chmod(0o700)
    monkeypatch.setattr(extraction.sys, "executable", str(dying))
    problem = await refused("a.txt", b"x" * 1_000_000)
    assert problem.code == "invalid_file"
    assert "SIGSEGV" in problem.message


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra, as pip wants it."""
    require_documents()
    monkeypatch.setattr(extraction, "NEEDED", ("no_such_library",))
    with pytest.raises(DocumentsNotInstalled, match=r"linarite\[documents\]"):
        require_documents()
