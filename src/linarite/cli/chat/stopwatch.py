"""How fast an answer came."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.cli.chat.model import Piece, Usage


class Stopwatch:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._begun_at = time.monotonic()
        self._first_at: float | None = None
        self._last_at = self._begun_at
        self._pieces = 0
        self._usage: Usage | None = None

    def see(self, piece: Piece) -> None:
        """Take note of what came."""
        self._usage = piece.usage or self._usage
        if piece.text or piece.reasoning:
            self._last_at = time.monotonic()
            self._first_at = self._first_at or self._last_at
            self._pieces += 1

    def report(self) -> str:
        """One line; where the endpoint gave no counts, the pieces of the stream are counted."""
        usage = self._usage
        tokens = usage.completion_tokens if usage else self._pieces
        counted = f"{usage.prompt_tokens} tokens in, {tokens} out" if usage else f"{tokens} pieces"
        if self._first_at is None:
            return f"{counted}, nothing said"
        total_s, first_s = self._last_at - self._begun_at, self._first_at - self._begun_at
        line = f"{counted} in {total_s:.2f} s, the first after {first_s:.2f} s"
        flowing_s = self._last_at - self._first_at
        if tokens > 1 and flowing_s > 0:
            line += f", then {(tokens - 1) / flowing_s:.1f} a second"
        return line
