"""A reply's tokens as text: whole characters only, and nothing that may begin a stop string."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from linarite.engines.text_chat.logprobs import TokenProbability

if TYPE_CHECKING:
    from collections.abc import Sequence


class Told(NamedTuple):
    """What can be told now."""

    text: str
    probabilities: list[TokenProbability]
    stopped: bool
    """a stop string came; nothing may follow"""


class TextStream:
    """Feed it tokens; it gives back text."""

    def __init__(self, pieces: Sequence[bytes], stops: Sequence[str], *, logprobs: bool) -> None:
        """`pieces` are the bytes of each token of the vocabulary."""
        self._pieces = pieces
        self._stops = [stop.encode() for stop in stops]
        self._logprobs = logprobs
        self._held: list[tuple[int, bytes, float]] = []
        self._buffer = b""

    def feed(self, tokens: Sequence[int], logprobs: Sequence[float], *, last: bool) -> Told:
        """Take tokens; `last` when none follow."""
        for token, logprob in zip(tokens, logprobs, strict=True):
            piece = self._pieces[token]
            if piece:
                self._held.append((token, piece, logprob))
                self._buffer += piece
        stop_at = self._stop()
        if stop_at is not None:
            return self._tell(stop_at, stopped=True)
        return self._tell(len(self._buffer) if last else self._safe(), stopped=False)

    def _stop(self) -> int | None:
        found = [at for stop in self._stops if (at := self._buffer.find(stop)) >= 0]
        return min(found, default=None)

    def _safe(self) -> int:
        """How many bytes can neither begin a stop string nor be half a character."""
        safe = len(self._buffer)
        for stop in self._stops:
            for size in range(min(len(stop) - 1, len(self._buffer)), 0, -1):
                if self._buffer.endswith(stop[:size]):
                    safe = min(safe, len(self._buffer) - size)
                    break
        return _whole_characters(self._buffer, safe)

    def _tell(self, length: int, *, stopped: bool) -> Told:
        """Tell that many bytes; with probabilities, only whole tokens of them."""
        probabilities: list[TokenProbability] = []
        if self._logprobs and not stopped:
            length = self._token_bound(length)
        text, self._buffer = self._buffer[:length], self._buffer[length:]
        at = 0
        while self._logprobs and self._held and at + len(self._held[0][1]) <= length:
            token, piece, logprob = self._held.pop(0)
            at += len(piece)
            probabilities.append(probability_of(token, piece, logprob))
        if not self._logprobs:
            self._held = []
        return Told(text.decode("utf-8", "replace"), probabilities, stopped)

    def _token_bound(self, length: int) -> int:
        """The last end of a token, and of a character, up to there."""
        bound = at = 0
        for _, piece, _ in self._held:
            at += len(piece)
            if at > length:
                break
            if at == len(self._buffer) or _whole_characters(self._buffer, at) == at:
                bound = at
        return bound


def probability_of(token: int, piece: bytes, logprob: float) -> TokenProbability:
    """How likely a token was, by itself: OpenVINO tells no alternatives."""
    return TokenProbability(
        token=piece.decode("utf-8", "replace"), bytes=list(piece), logprob=logprob, id=token
    )


def _whole_characters(raw: bytes, length: int) -> int:
    """The longest beginning of at most that length that does not end within a character."""
    start = length
    # The byte that begins a character tells how long it is; the others have the form 10xxxxxx.
    while start > max(0, length - 4) and start > 0:
        start -= 1
        byte = raw[start]
        if byte & 0xC0 == 0x80:  # noqa: PLR2004 - bit patterns of UTF-8
            continue
        size = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4  # noqa: PLR2004 - UTF-8's own bounds
        return length if start + size <= length else start
    return length
