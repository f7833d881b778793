"""Where things lie in a GGUF file, as far as it must be understood or rewritten.

Layout: the GGUF specification, version 2 and 3.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_ENTRIES_MAX = 65_536
_ITEMS_MAX = 16 * 1024 * 1024
_SCALARS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9
_ALIGNMENT = 32

Value = str | float | list[int]


class UnreadableModel(ValueError):
    """The file is no GGUF, cut short, or of a kind that cannot be run."""


class TensorPlace(NamedTuple):
    """A tensor's description."""

    name: str
    shape: tuple[int, ...]
    """the length of a row first"""
    ggml_type: int
    offset: int
    """from the start of the tensors' bytes"""

    @property
    def values(self) -> int:
        """How many numbers it has."""
        count = 1
        for length in self.shape:
            count *= length
        return count


class GgufFile(NamedTuple):
    """A file taken apart, but for its tensors' bytes."""

    metadata: dict[str, Value]
    """without arrays of anything but whole numbers"""
    entries: int
    """of metadata, those left out included"""
    metadata_span: tuple[int, int]
    """where the entries' bytes lie"""
    tensors: list[TensorPlace]
    data_start: int
    alignment: int

    def text(self, key: str) -> str:
        """A text; "" when there is none."""
        value = self.metadata.get(key, "")
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        """A whole number; 0 when there is none."""
        value = self.metadata.get(key, 0)
        return int(value) if isinstance(value, (int, float)) else 0

    def numbers(self, key: str) -> list[int]:
        """A list of whole numbers; empty when there is none."""
        value = self.metadata.get(key, [])
        return value if isinstance(value, list) else []


def read_gguf(path: Path) -> GgufFile:
    """Take a file apart. Raises UnreadableModel and OSError."""
    with path.open("rb") as file:
        try:
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise UnreadableModel("the file is empty") from error
        with whole:
            try:
                return _Reader(whole).read()
            except (struct.error, UnicodeDecodeError) as error:
                raise UnreadableModel("the file is cut short or damaged") from error


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def read(self) -> GgufFile:
        magic, version, tensors, entries = self._unpack("4sIQQ")
        if magic != _MAGIC:
            raise UnreadableModel("the file is no GGUF file")
        if version not in _VERSIONS:
            raise UnreadableModel(f"GGUF version {version} is not known")
        if max(tensors, entries) > _ENTRIES_MAX:
            raise UnreadableModel("the file claims to have too much metadata")
        start = self._at
        metadata: dict[str, Value] = {}
        for _ in range(entries):
            key = self._text()
            value = self._value(self._unpack("I")[0])
            if value is not None:
                metadata[key] = value
        end = self._at
        places = [self._tensor() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", _ALIGNMENT)
        alignment = alignment if isinstance(alignment, int) and alignment > 0 else _ALIGNMENT
        data_start = -(-self._at // alignment) * alignment
        return GgufFile(metadata, entries, (start, end), places, data_start, alignment)

    def _unpack(self, layout: str) -> tuple[Any, ...]:
        fields = struct.unpack_from(f"<{layout}", self._data, self._at)
        self._at += struct.calcsize(f"<{layout}")
        return fields

    def _text(self) -> str:
        (length,) = self._unpack("Q")
        return self._take(length).decode("utf-8", "replace")

    def _take(self, length: int) -> bytes:
        if length > len(self._data) - self._at:
            raise UnreadableModel("the file is cut short")
        taken = self._data[self._at : self._at + length]
        self._at += length
        return taken

    def _value(self, kind: int) -> Value | None:
        if kind == _TEXT:
            return self._text()
        if kind != _ARRAY:
            return self._unpack(_scalar(kind))[0]
        item_kind, count = self._unpack("IQ")
        if count > _ITEMS_MAX:
            raise UnreadableModel("the file has a list that is too long")
        if item_kind == _TEXT:
            for _ in range(count):
                (length,) = self._unpack("Q")
                self._take(length)
            return None
        layout = _scalar(item_kind)
        raw = self._take(count * struct.calcsize(f"<{layout}"))
        return list(struct.unpack(f"<{count}{layout}", raw)) if layout in "Ii" else None

    def _tensor(self) -> TensorPlace:
        name = self._text()
        (rank,) = self._unpack("I")
        if rank > 4:  # noqa: PLR2004 - ggml's bound
            raise UnreadableModel("the file has a tensor of too many dimensions")
        shape = self._unpack(f"{rank}Q")
        ggml_type, offset = self._unpack("IQ")
        return TensorPlace(name, shape, ggml_type, offset)


def _scalar(kind: int) -> str:
    layout = _SCALARS.get(kind)
    if layout is None:
        raise UnreadableModel("the file has a value of a type that is not known")
    return layout
