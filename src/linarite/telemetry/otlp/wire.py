"""Protobuf's binary form, as far as OTLP needs it: fields of a message, one after the other.

A message is the concatenation of its fields. Numbers of fields and types are those of
`opentelemetry-proto`; a field that has its type's default (0, "", false) is left out, as encoders
do. Encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from functools import cache
from struct import pack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Scalar = str | bool | int | float
"""what an attribute may be"""

_VARINT, _FIXED_64, _LENGTH = 0, 1, 2
_LOW_BITS, _MORE = 0x7F, 0x80
_TWO_TO_64 = 1 << 64


_ONE_BYTE = tuple(bytes((number,)) for number in range(_MORE))


def varint(number: int) -> bytes:
    """A number in as few bytes as it needs; negative ones as protobuf's `int64` has them."""
    if 0 <= number < _MORE:
        return _ONE_BYTE[number]
    left = number % _TWO_TO_64
    digits = bytearray()
    while left > _LOW_BITS:
        digits.append(left & _LOW_BITS | _MORE)
        left >>= 7
    digits.append(left)
    return bytes(digits)


@cache
def _key(field: int, kind: int) -> bytes:
    return varint(field << 3 | kind)


def message(field: int, body: bytes) -> bytes:
    """A message within the message, empty ones too: that it is there may say something."""
    return _key(field, _LENGTH) + varint(len(body)) + body


def octets(field: int, value: bytes) -> bytes:
    """A field of type `bytes`."""
    return message(field, value) if value else b""


def text(field: int, value: str) -> bytes:
    """A field of type `string`; what is no Unicode is replaced."""
    return octets(field, value.encode("utf-8", "replace"))


def integer(field: int, value: int) -> bytes:
    """A field of type `int64`, `uint32`, `bool` or an enumeration."""
    return _key(field, _VARINT) + varint(value) if value else b""


def fixed_64(field: int, value: int) -> bytes:
    """A field of type `fixed64`."""
    return _key(field, _FIXED_64) + pack("<Q", value) if value else b""


def signed_fixed_64(field: int, value: int) -> bytes:
    """A field of type `sfixed64` of a choice (`oneof`): 0 is written, for it is the choice."""
    return _key(field, _FIXED_64) + pack("<q", value)


def double(field: int, value: float) -> bytes:
    """A field of type `double` that is optional or of a choice (`oneof`): 0 is written."""
    return _key(field, _FIXED_64) + pack("<d", value)


def packed_fixed_64(field: int, values: Sequence[int]) -> bytes:
    """A repeated field of type `fixed64`."""
    return octets(field, pack(f"<{len(values)}Q", *values))


def packed_doubles(field: int, values: Sequence[float]) -> bytes:
    """A repeated field of type `double`."""
    return octets(field, pack(f"<{len(values)}d", *values))


def any_value(value: Scalar) -> bytes:
    """The message `AnyValue`."""
    if isinstance(value, str):
        return message(1, value.encode("utf-8", "replace"))
    if isinstance(value, bool):
        return _key(2, _VARINT) + varint(value)
    if isinstance(value, int):
        return _key(3, _VARINT) + varint(value)
    return double(4, value)


def attributes(field: int, values: Mapping[str, Scalar]) -> bytes:
    """A repeated field of type `KeyValue`."""
    return b"".join(
        message(field, text(1, name) + message(2, any_value(value)))
        for name, value in values.items()
    )
