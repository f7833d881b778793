"""Compiles a character map into the form that unigram tokenizers in GGUF files carry.

That form is SentencePiece's `precompiled_charsmap`: the length of a double array, the double
array, and the replacements as NUL-terminated UTF-8. The double array is a trie over UTF-8 bytes
in 32-bit units: a unit holds its byte label in bits 0 to 7, a "has a value" flag in bit 8 and the
offset to its children in bits 10 to 30; a child's index is the unit's index XOR the offset XOR the
child's label. The value of a node is its child with label 0: bit 31 set, a position among the
replacements in the others.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HAS_VALUE = 1 << 8
_IS_VALUE = 1 << 31
_OFFSET_SHIFT = 10
_OFFSET_MAX = (1 << 21) - 1
_BLOCK = 256


@dataclass
class _Node:
    children: dict[int, _Node] = field(default_factory=dict[int, "_Node"])
    value: int | None = None

    def labels(self) -> list[int]:
        own = [] if self.value is None else [0]
        return own + sorted(self.children)


def compile_charsmap(replacements: Mapping[int, Sequence[int]]) -> bytes:
    """Map code points to sequences of code points; an empty sequence drops the character.

    Raises ValueError for code points that UTF-8 has no form for, and for U+0000, which ends
    strings in this format.
    """
    root = _Node()
    texts = bytearray()
    for code_point, replacement in sorted(replacements.items()):
        if code_point == 0 or 0 in replacement:
            msg = "U+0000 cannot be part of a character map"
            raise ValueError(msg)
        _insert(root, chr(code_point).encode(), len(texts))
        texts += "".join(map(chr, replacement)).encode() + b"\0"
    units = _DoubleArray().place(root)
    packed = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(packed)) + packed + bytes(texts or b"\0")


def _insert(root: _Node, key: bytes, value: int) -> None:
    node = root
    for label in key:
        node = node.children.setdefault(label, _Node())
    node.value = value


class _DoubleArray:
    """Finds room for every node's children. Two nodes never share the place of their children."""

    def __init__(self) -> None:
        self._units = [0] * _BLOCK
        self._taken = {0}
        self._places: set[int] = set()
        self._searched = {True: 1, False: 1}

    def place(self, root: _Node) -> list[int]:
        """Return the units; their number is a multiple of 256, so no lookup leaves the array."""
        waiting = [(0, root)]
        while waiting:
            index, node = waiting.pop()
            labels = node.labels()
            if not labels:
                continue
            place = self._room_for(labels)
            if index ^ place > _OFFSET_MAX:
                msg = "the character map is too large for this format"
                raise ValueError(msg)
            self._units[index] |= (index ^ place) << _OFFSET_SHIFT
            for label in labels:
                self._taken.add(place ^ label)
            if node.value is not None:
                self._units[index] |= _HAS_VALUE
                self._units[place] = _IS_VALUE | node.value
            for label, child in node.children.items():
                self._units[place ^ label] = label
                waiting.append((place ^ label, child))
        return self._units

    def _room_for(self, labels: list[int]) -> int:
        """Look on from where the last set of its kind fitted; the few holes left cost little."""
        single = len(labels) == 1
        at = self._searched[single]
        while not self._fits(at ^ labels[0], labels):
            at += 1
        self._searched[single] = at
        place = at ^ labels[0]
        self._places.add(place)
        while len(self._units) <= place | (_BLOCK - 1):
            self._units += [0] * _BLOCK
        return place

    def _fits(self, place: int, labels: list[int]) -> bool:
        if place in self._places:
            return False
        return not any(place ^ label in self._taken for label in labels)
