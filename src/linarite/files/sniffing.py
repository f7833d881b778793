"""What a file is, by how it begins."""

from __future__ import annotations

import codecs

from linarite.domain.file_errors import NotJsonLines

HEAD_BYTES = 4096
LINES_PURPOSES = frozenset(("batch", "fine-tune"))
_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"\xd0\xcf\x11\xe0", "application/x-ole-storage"),
    (b"\x7fELF", "application/x-elf"),
    (b"MZ", "application/x-msdownload"),
)


def media_type(head: bytes) -> str:
    """The type that a file's first bytes tell, whatever its name or its sender say."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "text/plain" if _is_text(head) else "application/octet-stream"


def require_lines(purpose: str, filename: str, head: bytes) -> None:
    """Raise NotJsonLines where a purpose wants lines of JSON and the file does not begin so."""
    if purpose not in LINES_PURPOSES:
        return
    if not filename.lower().endswith(".jsonl"):
        raise NotJsonLines(purpose, f"its name '{filename[:100]}' does not end in .jsonl")
    if not _is_text(head):
        raise NotJsonLines(purpose, "it is not text in UTF-8")
    begins = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if begins and not begins.startswith(b"{"):
        raise NotJsonLines(purpose, "its first line is not a JSON object")


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True
