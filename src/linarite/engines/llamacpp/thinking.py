"""Telling a model's thoughts from its reply, where it writes them between `<think>` tags."""

from __future__ import annotations

_OPENS, _CLOSES = "<think>", "</think>"


def begins_thinking(prompt: str) -> bool:
    """The template has already opened the tag."""
    return prompt.rstrip().endswith(_OPENS)


class ThoughtSplitter:
    """Feed it the reply in pieces; it gives back (thought, reply) pieces."""

    def __init__(self, *, thinking: bool) -> None:
        """`thinking`: the tag was opened by the prompt."""
        self._thinking = thinking
        self._begun = thinking
        """it is settled whether the reply begins with a thought"""
        self._buffer = ""

    def feed(self, text: str) -> tuple[str, str]:
        """Take the next piece."""
        if self._begun and not self._thinking:
            return "", text
        self._buffer += text
        if not self._begun and not self._settle():
            return "", ""
        if not self._thinking:
            return "", self._take(len(self._buffer))
        thought, closing, reply = self._buffer.partition(_CLOSES)
        if closing:
            self._buffer = reply.lstrip()
            # White space behind the tag belongs to neither; more of it may come.
            self._thinking, self._begun = False, bool(self._buffer)
            return thought, self._take(len(self._buffer))
        return self._take(len(self._buffer) - _overlap(self._buffer, _CLOSES)), ""

    def finish(self) -> tuple[str, str]:
        """The reply is over: return what was held back."""
        rest = self._take(len(self._buffer))
        return (rest, "") if self._thinking else ("", rest)

    def _settle(self) -> bool:
        """Find out whether the reply begins with a thought; False while that is open."""
        visible = self._buffer.lstrip()
        if len(visible) < len(_OPENS) and _OPENS.startswith(visible):
            return False
        self._begun = True
        if visible.startswith(_OPENS):
            self._thinking = True
            self._buffer = visible[len(_OPENS) :]
        return True

    def _take(self, length: int) -> str:
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken


def _overlap(text: str, tag: str) -> int:
    """How much of the text's end may be the tag's beginning."""
    return next(
        (size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])),
        0,
    )
