from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linarite.hosting.models.charsmap import compile_charsmap

CODE_POINTS = st.integers(1, 0x10FFFF).filter(lambda point: not 0xD800 <= point < 0xE000)


def _longest_match(charsmap: bytes, text: bytes) -> tuple[int, str] | None:
    """Look a prefix up as a tokenizer does: walk the double array by XOR."""
    (size,) = struct.unpack_from("<I", charsmap)
    units = struct.unpack_from(f"<{size // 4}I", charsmap, 4)
    replacements = charsmap[4 + size :]

    def offset(unit: int) -> int:
        return (unit >> 10) << ((unit & (1 << 9)) >> 6)

    found = None
    index = offset(units[0])
    for length, byte in enumerate(text, start=1):
        index ^= byte
        unit = units[index]
        if unit & (1 << 31 | 0xFF) != byte:
            break
        index ^= offset(unit)
        if unit >> 8 & 1:
            start = units[index] & ~(1 << 31)
            found = length, replacements[start : replacements.index(0, start)].decode()
    return found


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(CODE_POINTS, st.lists(CODE_POINTS, max_size=4), max_size=80),
    st.sets(CODE_POINTS),
)
def test_lookup_gives_what_was_compiled(
    replacements: dict[int, list[int]], others: set[int]
) -> None:
    """Every character of the map is found with its replacement, and no other character is."""
    charsmap = compile_charsmap(replacements)
    for point, replacement in replacements.items():
        text = chr(point).encode()
        expected = len(text), "".join(map(chr, replacement))
        assert _longest_match(charsmap, text + b"tail") == expected
    for point in others - replacements.keys():
        assert _longest_match(charsmap, chr(point).encode()) is None


def test_large_map_stays_small() -> None:
    """Five thousand characters, as real tokenizers have, take few kilobytes and are all found."""
    replacements = {point: (point + 1,) for point in range(0x3000, 0x3000 + 5000)}
    charsmap = compile_charsmap(replacements)
    assert len(charsmap) < 100_000
    for point in replacements:
        assert _longest_match(charsmap, chr(point).encode()) == (3, chr(point + 1))


def test_nul_is_refused() -> None:
    """U+0000 ends strings in this format, so it can be neither source nor target."""
    with pytest.raises(ValueError, match=r"U\+0000"):
        compile_charsmap({65: [0]})
