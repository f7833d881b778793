"""Writes GGUF version 3: metadata, then tensors whose bytes are copied as they are.

After the GGUF specification of the ggml project. Only what our converters need.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALIGNMENT = 32
F32 = 0
Q4_0 = 2

_UINT8, _UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 0, 4, 5, 6, 7, 8, 9


@dataclass(frozen=True)
class Tensor:
    """A tensor as it will lie in the file."""

    name: str
    shape: tuple[int, ...]
    """ggml's order: the length of a row first"""
    ggml_type: int
    data: memoryview
    """already in ggml's layout for `ggml_type`"""


def write_gguf(out: BinaryIO, metadata: Mapping[str, bytes], tensors: Sequence[Tensor]) -> None:
    """Write a whole file; `metadata` maps keys to values made by the functions below."""
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata))
    head += b"".join(_text(key.encode()) + value for key, value in metadata.items())
    offset = 0
    for tensor in tensors:
        head += _tensor_info(tensor, offset)
        offset += _padded(tensor.data.nbytes)
    out.write(head + bytes(_padded(len(head)) - len(head)))
    for tensor in tensors:
        out.write(tensor.data)
        out.write(bytes(_padded(tensor.data.nbytes) - tensor.data.nbytes))


def uint32(value: int) -> bytes:
    """Encode a count or an id."""
    return struct.pack("<II", _UINT32, value)


def float32(value: float) -> bytes:
    """Encode a number."""
    return struct.pack("<If", _FLOAT32, value)


def true() -> bytes:
    """Encode a flag that is set."""
    return struct.pack("<IB", _BOOL, 1)


def false() -> bytes:
    """Encode a flag that is not set."""
    return struct.pack("<IB", _BOOL, 0)


def string(value: str) -> bytes:
    """Encode a text."""
    return struct.pack("<I", _STRING) + _text(value.encode())


def strings(values: Sequence[bytes]) -> bytes:
    """Encode a list of texts given as UTF-8."""
    return struct.pack("<IIQ", _ARRAY, _STRING, len(values)) + b"".join(map(_text, values))


def float32s(values: Sequence[float]) -> bytes:
    """Encode a list of numbers."""
    return struct.pack(f"<IIQ{len(values)}f", _ARRAY, _FLOAT32, len(values), *values)


def int32s(values: Sequence[int]) -> bytes:
    """Encode a list of small integers."""
    return struct.pack(f"<IIQ{len(values)}i", _ARRAY, _INT32, len(values), *values)


def uint8s(value: bytes) -> bytes:
    """Encode raw bytes."""
    return struct.pack("<IIQ", _ARRAY, _UINT8, len(value)) + value


def _tensor_info(tensor: Tensor, offset: int) -> bytes:
    rank = len(tensor.shape)
    return _text(tensor.name.encode()) + struct.pack(
        f"<I{rank}QIQ", rank, *tensor.shape, tensor.ggml_type, offset
    )


def _text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def _padded(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT
