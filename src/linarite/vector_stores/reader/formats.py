"""What kinds of files are read, and how it is told which one a file is."""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"

DOCUMENTS = {
    ".pdf": "application/pdf",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".odt": f"{_OPEN}.text",
    ".ods": f"{_OPEN}.spreadsheet",
    ".epub": "application/epub+zip",
    ".rtf": "application/rtf",
    ".html": "text/html",
    ".htm": "text/html",
    ".eml": "message/rfc822",
    ".msg": "application/vnd.ms-outlook",
}
"""what the library reads, by the end of the name"""
PDF = b"%PDF-"
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
"""how texts begin that say how they are encoded"""


class Kind(NamedTuple):
    """How a file is read."""

    media_type: str
    """"" for text as it is"""


class Unsupported(Exception):
    """Nobody here reads such files."""


def kind_of(filename: str, content: bytes) -> Kind:
    """By its name, and where that says nothing by its bytes. Raises Unsupported."""
    suffix = PurePath(filename).suffix.lower()
    if suffix in DOCUMENTS:
        return Kind(DOCUMENTS[suffix])
    if content.startswith(PDF):
        return Kind(DOCUMENTS[".pdf"])
    if text_of(content) is None:
        raise Unsupported(
            f"Files like {filename[-60:]!r} are not read: it is no text, and none of "
            f"{', '.join(DOCUMENTS)}."
        )
    return Kind("")


def text_of(content: bytes) -> str | None:
    """Plain text; None where the bytes are none."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return _decoded(content, encoding)
    return None if b"\0" in content else _decoded(content, "utf-8")


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
