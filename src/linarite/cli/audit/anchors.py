"""Anchors: where a log had arrived, as a line of text that is kept elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from linarite.domain.audit import Checkpoint
from linarite.domain.errors import SetupError

LINES_BYTES_MAX = 4 * 1024 * 1024


class Anchor(msgspec.Struct, frozen=True):
    """A checkpoint with the key that signed it, as JSON shows both: bytes in hexadecimal."""

    seq: int
    hash: str
    at: str
    kind: str
    signature: str
    public_key: str

    @property
    def checkpoint(self) -> Checkpoint:
        """The statement itself. Raises ValueError when it is no hexadecimal text."""
        return Checkpoint(
            self.seq, bytes.fromhex(self.hash), self.at, self.kind, bytes.fromhex(self.signature)
        )


def anchor_of(checkpoint: Checkpoint, public_key: bytes) -> Anchor:
    """A checkpoint as it is written down."""
    return Anchor(
        checkpoint.seq,
        checkpoint.hash.hex(),
        checkpoint.at,
        checkpoint.kind,
        checkpoint.signature.hex(),
        public_key.hex(),
    )


def read_anchors(told: str) -> list[Anchor]:
    """The anchors in a file, a line each, or the one that was typed. Raises SetupError."""
    text = told.strip()
    if not text.startswith("{"):
        path = Path(told)
        try:
            text = path.read_text(encoding="utf-8")[:LINES_BYTES_MAX]
        except (OSError, UnicodeDecodeError) as problem:
            raise SetupError(
                f"The anchor {told} can't be read ({problem}). Give what `linarite audit anchor` "
                "has printed, or a file with it."
            ) from None
    return [_decoded(line) for line in text.splitlines() if line.strip()]


def _decoded(line: str) -> Anchor:
    try:
        known: Any = msgspec.json.decode(line, type=Anchor)
        _ = known.checkpoint, bytes.fromhex(known.public_key)
    except (msgspec.MsgspecError, ValueError) as problem:
        raise SetupError(
            f"'{line[:80]}' is no anchor ({problem}). Give what `linarite audit anchor` has "
            "printed, whole."
        ) from None
    return known
