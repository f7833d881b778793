"""Tiny packed E5 files for tests: the layout of the real one, with one layer of width 32."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

WIDTH, HIDDEN, ROWS, POSITIONS, TOKEN_TYPES = 32, 64, 8, 16, 2
PIECES = (b"<s>", b"<pad>", b"</s>", b"<unk>", "▁a".encode(), b"b", b"<mask>")
SCORES = (0.0, 0.0, 0.0, 0.0, -1.5, -2.5, 0.0)
_BLOCK_WEIGHTS, _BLOCK_BYTES = 32, 18


@dataclass
class E5Parts:
    """What a file is made of; tests spoil one thing at a time."""

    magic: bytes = b"E5S1"
    sizes: tuple[float, ...] = (WIDTH, 1, 4, HIDDEN, ROWS, POSITIONS, TOKEN_TYPES, 1e-12, 32)
    specials: tuple[int, ...] = (0, 2, 1, 3)
    """begin, end, padding, unknown"""
    pieces: tuple[bytes, ...] = PIECES
    scores: tuple[float, ...] = SCORES
    normalisation: dict[int, tuple[int, ...]] = field(
        default_factory=lambda: {0x09: (0x20,), 0xAD: (), 0xFF21: (0x41,)}
    )
    tensors: dict[str, tuple[int, int]] = field(default_factory=lambda: dict(_tensors()))
    """name → (1 for blocks, 0 for floats; number of values)"""

    def content(self) -> bytes:
        """The whole file; each tensor is filled with a byte of its own."""
        head = self.magic + struct.pack("<I7ifi", 1, *self.sizes)
        text = b"".join(self.pieces)
        ends = [0]
        for piece in self.pieces:
            ends.append(ends[-1] + len(piece))
        head += struct.pack("<5iQ", len(self.pieces), *self.specials, len(text))
        head += struct.pack(f"<{len(ends)}I", *ends)
        head += struct.pack(f"<{len(self.scores)}f", *self.scores) + text
        mapped = b"".join(
            struct.pack(f"<IB{len(out)}I", point, len(out), *out)
            for point, out in self.normalisation.items()
        )
        head += struct.pack("<iI", len(self.normalisation), len(mapped)) + mapped
        directory_bytes = 4 + sum(2 + len(name) + 21 for name in self.tensors)
        return head + self._directory_and_data(len(head) + directory_bytes)

    def _directory_and_data(self, offset: int) -> bytes:
        directory = struct.pack("<i", len(self.tensors))
        data = b""
        for number, (name, (quantised, values)) in enumerate(self.tensors.items()):
            size = values // _BLOCK_WEIGHTS * _BLOCK_BYTES if quantised else values * 4
            directory += struct.pack("<H", len(name)) + name.encode()
            directory += struct.pack("<BIQQ", quantised, values, offset + len(data), size)
            data += bytes([number % 256]) * size
        return directory + data


def _tensors() -> list[tuple[str, tuple[int, int]]]:
    return [
        ("emb.word", (1, WIDTH * ROWS)),
        ("emb.pos", (0, WIDTH * POSITIONS)),
        ("emb.type", (0, WIDTH * TOKEN_TYPES)),
        ("emb.ln.w", (0, WIDTH)),
        ("emb.ln.b", (0, WIDTH)),
        *((f"l0.{name}.w", (1, WIDTH * WIDTH)) for name in ("q", "k", "v", "ao")),
        *((f"l0.{name}.b", (0, WIDTH)) for name in ("q", "k", "v", "ao", "fo", "aln", "oln")),
        *((f"l0.{name}.w", (0, WIDTH)) for name in ("aln", "oln")),
        ("l0.fi.w", (1, WIDTH * HIDDEN)),
        ("l0.fi.b", (0, HIDDEN)),
        ("l0.fo.w", (1, HIDDEN * WIDTH)),
    ]
