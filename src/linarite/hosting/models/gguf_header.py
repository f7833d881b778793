"""Reads and checks the header of a GGUF file before any engine sees it.

Pure Python over bytes that are read in pieces; tensors are never loaded. Accepts only what
llama.cpp's own loader would accept, within the bounds of `gguf_layout`, and only when the file is
long enough to hold every tensor it describes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from linarite.hosting.models import gguf_layout as layout
from linarite.hosting.models.errors import ModelFileInvalid
from linarite.hosting.models.gguf_facts import (
    FILL_IN_THE_MIDDLE_TOKENS,
    GgufFacts,
    Header,
    TensorInfo,
    facts_of,
)

if TYPE_CHECKING:
    from pathlib import Path

_PIECE_BYTES = 1 << 20
_MAGIC = b"GGUF"
_TOKENS_KEY = "tokenizer.ggml.tokens"
_TEMPLATE_KEY = "tokenizer.chat_template"
_SHORT_TEXT_BYTES = 256
_KNOWN_ELSEWHERE = {
    b"PK\x03\x04": "it is a ZIP archive; unpack it first",
    b"<!DO": "it is a web page; the download was answered with HTML",
    b"<htm": "it is a web page; the download was answered with HTML",
    b"vers": "it is a Git LFS pointer; fetch the real file (git lfs pull)",
    b"ggml": "it is in the old GGML format; convert it to GGUF",
    b"tjgg": "it is in the old GGJT format; convert it to GGUF",
    b"FUGG": "it is a big-endian GGUF file",
}


def read_facts(path: Path) -> GgufFacts:
    """Check the file's header and say what the model is.

    Raises ModelFileInvalid, naming what is wrong; OSError when it cannot be read.
    """
    if not path.is_file():
        raise ModelFileInvalid(path.name, "it is not a file" if path.exists() else "it isn't there")
    with path.open("rb") as file:
        size = path.stat().st_size
        try:
            header = _read(_Reader(file, size))
            _check_data(header, size)
            facts = facts_of(header)
            _check_kind(facts)
        except _Malformed as error:
            raise ModelFileInvalid(path.name, str(error)) from None
    return facts


class _Malformed(Exception):
    """What is wrong, as the end of a sentence."""


def _read(reader: _Reader) -> Header:
    _check_magic(reader)
    tensor_count, entry_count = reader.many("QQ")
    if not 1 <= tensor_count <= layout.TENSORS_MAX:
        raise _Malformed(f"{tensor_count} tensors, not between 1 and {layout.TENSORS_MAX}")
    if entry_count > layout.METADATA_ENTRIES_MAX:
        raise _Malformed(f"{entry_count} metadata entries, over {layout.METADATA_ENTRIES_MAX}")
    header = Header()
    for _ in range(entry_count):
        _read_entry(reader, header)
    header.alignment = _alignment(header)
    seen: set[str] = set()
    for _ in range(tensor_count):
        info = _read_tensor(reader)
        if info.name in seen:
            raise _Malformed(f"tensor '{info.name}' is described twice")
        seen.add(info.name)
        header.tensors.append(info)
    header.data_start = -(-reader.position // header.alignment) * header.alignment
    return header


def _check_magic(reader: _Reader) -> None:
    magic = reader.take(4)
    if magic != _MAGIC:
        known = _KNOWN_ELSEWHERE.get(magic, "it does not begin with 'GGUF'")
        raise _Malformed(known)
    version = reader.one("I")
    if version in {1, 0x01000000, 0x02000000, 0x03000000}:
        raise _Malformed(f"GGUF version {'1' if version == 1 else 'big-endian'} is not supported")
    if version not in {2, 3}:
        raise _Malformed(f"GGUF version {version} is not known here (2 and 3 are)")


def _read_entry(reader: _Reader, header: Header) -> None:
    key = _text(reader.string(layout.KEY_BYTES_MAX, "a metadata key"), "a metadata key")
    if key in header.keys:
        raise _Malformed(f"metadata '{key}' is given twice")
    header.keys.add(key)
    kind = reader.one("I")
    if kind == layout.STRING:
        _read_string_entry(reader, header, key)
    elif kind == layout.ARRAY:
        _read_array_entry(reader, header, key)
    elif kind in layout.SCALARS:
        value = reader.one(layout.SCALARS[kind])
        if kind == layout.BOOL and value not in {0, 1}:
            raise _Malformed(f"metadata '{key}' is neither true nor false")
        header.numbers[key] = value
    else:
        raise _Malformed(f"metadata '{key}' has the unknown type {kind}")


def _read_string_entry(reader: _Reader, header: Header, key: str) -> None:
    if key.startswith(_TEMPLATE_KEY):
        template = reader.string(layout.CHAT_TEMPLATE_BYTES_MAX, "the chat template")
        header.has_chat_template = True
        header.template_names_tools |= b"tools" in template
        return
    value = reader.string(layout.STRING_BYTES_MAX, f"metadata '{key}'")
    if len(value) <= _SHORT_TEXT_BYTES:
        header.texts[key] = value.decode("utf-8", "replace")


def _read_array_entry(reader: _Reader, header: Header, key: str) -> None:
    kind, length = reader.many("IQ")
    if kind == layout.ARRAY:
        raise _Malformed(f"metadata '{key}' is a list of lists")
    if length > layout.ARRAY_VALUES_MAX:
        raise _Malformed(f"metadata '{key}' has {length} values, over {layout.ARRAY_VALUES_MAX}")
    header.lengths[key] = length
    if kind == layout.STRING:
        wanted = FILL_IN_THE_MIDDLE_TOKENS if key == _TOKENS_KEY else frozenset[bytes]()
        header.found_tokens |= reader.strings(length, key, wanted)
    elif kind in layout.SCALARS:
        reader.skip(length * struct.calcsize(f"<{layout.SCALARS[kind]}"))
    else:
        raise _Malformed(f"metadata '{key}' has values of the unknown type {kind}")


def _alignment(header: Header) -> int:
    alignment = header.numbers.get("general.alignment", layout.ALIGNMENT_DEFAULT)
    if (
        not isinstance(alignment, int)
        or not 1 <= alignment <= layout.ALIGNMENT_MAX
        or alignment & (alignment - 1)
    ):
        raise _Malformed(f"general.alignment {alignment} is not a power of two")
    return alignment


def _read_tensor(reader: _Reader) -> TensorInfo:
    name = _text(reader.string(layout.TENSOR_NAME_BYTES_MAX, "a tensor's name"), "a tensor's name")
    rank = reader.one("I")
    if not 1 <= rank <= layout.DIMENSIONS_MAX:
        raise _Malformed(f"tensor '{name}' has {rank} dimensions")
    shape = reader.many(f"{rank}Q")
    type_number, offset = reader.many("IQ")
    kind = layout.TENSOR_TYPES.get(type_number)
    if kind is None:
        raise _Malformed(f"tensor '{name}' is of type {type_number}, which is not known here")
    values = 1
    for length in shape:
        values *= length
        if not 1 <= values <= layout.TENSOR_VALUES_MAX:
            raise _Malformed(f"tensor '{name}' has an impossible shape")
    if shape[0] % kind.block_values:
        raise _Malformed(f"tensor '{name}': rows of {shape[0]} values do not fit {kind.name}")
    size_bytes = values // kind.block_values * kind.block_bytes
    return TensorInfo(name, kind.name, values, offset, size_bytes)


def _check_data(header: Header, file_bytes: int) -> None:
    """Tensors follow one another without gaps, as llama.cpp demands, and end inside the file."""
    expected = end = 0
    for tensor in header.tensors:
        if tensor.offset != expected:
            raise _Malformed(
                f"tensor '{tensor.name}' lies at {tensor.offset} where {expected} is due"
            )
        end = expected + tensor.size_bytes
        expected = -(-end // header.alignment) * header.alignment
    missing = header.data_start + end - file_bytes
    if missing > 0:
        raise _Malformed(f"it is truncated: {missing:,} bytes are missing at the end")


def _check_kind(facts: GgufFacts) -> None:
    if not facts.architecture:
        raise _Malformed("it does not say its architecture (general.architecture)")
    if facts.kind != "model":
        raise _Malformed(f"it is no whole model but a part for one (general.type {facts.kind})")
    if facts.split_count > 1:
        raise _Malformed(
            f"it is one of {facts.split_count} parts; join them first (llama-gguf-split --merge)"
        )


def _text(value: bytes, what: str) -> str:
    if not value or not value.isascii() or not value.decode("ascii").isprintable():
        raise _Malformed(f"{what} is empty or not printable")
    return value.decode("ascii")


class _Reader:
    """A cursor over the beginning of a file. Holds what was read, never more than is needed."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._buffer = bytearray()
        self._strings_left = layout.STRINGS_MAX
        self.position = 0

    def take(self, length: int) -> bytes:
        self._have(length)
        start = self.position
        self.position += length
        return bytes(self._buffer[start : self.position])

    def skip(self, length: int) -> None:
        self._have(length)
        self.position += length

    def many(self, letters: str) -> tuple[int, ...]:
        packing = struct.Struct(f"<{letters}")
        self._have(packing.size)
        values = packing.unpack_from(self._buffer, self.position)
        self.position += packing.size
        return values

    def one(self, letters: str) -> int:
        return self.many(letters)[0]

    def string(self, longest: int, what: str) -> bytes:
        length = self.one("Q")
        if length > longest:
            raise _Malformed(f"{what} is {length:,} bytes long, over {longest:,}")
        return self.take(length)

    def strings(self, count: int, key: str, wanted: frozenset[bytes]) -> set[bytes]:
        """Pass over a list of strings; return those of `wanted` that are in it."""
        self._strings_left -= count
        if self._strings_left < 0:
            raise _Malformed(f"metadata '{key}' has too many texts")
        longest = max(map(len, wanted), default=-1)
        length_of = struct.Struct("<Q").unpack_from
        found: set[bytes] = set()
        for _ in range(count):
            self._have(8)
            (length,) = length_of(self._buffer, self.position)
            if length > layout.STRING_BYTES_MAX:
                raise _Malformed(f"a text in metadata '{key}' is {length:,} bytes long")
            self.position += 8
            self._have(length)
            if length <= longest:
                found.add(bytes(self._buffer[self.position : self.position + length]))
            self.position += length
        return found & wanted

    def _have(self, length: int) -> None:
        end = self.position + length
        if end <= len(self._buffer):
            return
        if end > self._size:
            raise _Malformed("it is truncated: it ends inside its own header")
        if end > layout.HEADER_BYTES_MAX:
            raise _Malformed(f"its header is over {layout.HEADER_BYTES_MAX:,} bytes")
        wanted = max(end - len(self._buffer), _PIECE_BYTES)
        self._buffer += self._file.read(wanted)
        if end > len(self._buffer):
            raise _Malformed("it became shorter while it was read")
