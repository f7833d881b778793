"""`guid` and `uniqueString`: names made from other names, the same as Azure makes.

`guid` is a version 5 UUID (RFC 9562) under the namespace that "Bicep string functions" names.
`uniqueString` is a 64-bit variant of MurmurHash3, its 64 bits written in base 32 from the top.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from linarite.controlplane.templates.functions.builtin import UNBOUNDED, Builtin, pure
from linarite.controlplane.templates.values import text

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Value

NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
UNIQUE_STRING_CHARS = 13

_WORD = 0xFFFFFFFF
_MIX_1 = 0x239B961B
_MIX_2 = 0xAB0E9789
_BLOCK_BYTES = 8
_HALF_BYTES = 4


def guid(*parts: Value) -> Value:
    """The same GUID for the same strings."""
    return str(uuid.uuid5(NAMESPACE, "-".join(map(text, parts))))


def unique_string(*parts: Value) -> Value:
    """The same 13 letters and digits for the same strings."""
    number = murmur_64("-".join(map(text, parts)).encode())
    places = range(59, 59 - 5 * UNIQUE_STRING_CHARS, -5)
    return "".join(
        BASE32[(number >> place if place >= 0 else number << -place) & 31] for place in places
    )


def murmur_64(data: bytes) -> int:
    """Two lanes of 32 bits over blocks of 8 bytes; the second lane is the upper half."""
    low = high = 0
    whole = len(data) - len(data) % _BLOCK_BYTES
    for at in range(0, whole, _BLOCK_BYTES):
        low ^= _scramble_low(data[at : at + _HALF_BYTES])
        low = (_rotated(low, 19) + high) * 5 + 0x561CCD1B & _WORD
        high ^= _scramble_high(data[at + _HALF_BYTES : at + _BLOCK_BYTES])
        high = (_rotated(high, 13) + low) * 5 + 0x0BCAA747 & _WORD
    low ^= _scramble_low(data[whole : whole + _HALF_BYTES])
    high ^= _scramble_high(data[whole + _HALF_BYTES :])
    low, high = _crossed(low ^ len(data), high ^ len(data))
    low, high = _crossed(_avalanche(low), _avalanche(high))
    return high << 32 | low


def _crossed(low: int, high: int) -> tuple[int, int]:
    low = low + high & _WORD
    return low, high + low & _WORD


def _scramble_low(half: bytes) -> int:
    return _rotated(int.from_bytes(half, "little") * _MIX_1 & _WORD, 15) * _MIX_2 & _WORD


def _scramble_high(half: bytes) -> int:
    return _rotated(int.from_bytes(half, "little") * _MIX_2 & _WORD, 17) * _MIX_1 & _WORD


def _rotated(word: int, places: int) -> int:
    return (word << places | word >> 32 - places) & _WORD


def _avalanche(word: int) -> int:
    word = (word ^ word >> 16) * 0x85EBCA6B & _WORD
    word = (word ^ word >> 13) * 0xC2B2AE35 & _WORD
    return word ^ word >> 16


HASHES: dict[str, Builtin] = {
    "guid": pure(guid, 1, UNBOUNDED),
    "uniqueString": pure(unique_string, 1, UNBOUNDED),
}
