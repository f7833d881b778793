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
        self._step = self._think if thinking else self._begin
        self._buffer = ""

    def feed(self, text: str) -> tuple[str, str]:
        """Take the next piece."""
        self._buffer += text
        return self._step()

    def finish(self) -> tuple[str, str]:
        """The reply is over: return what was held back."""
        rest = self._take(len(self._buffer))
        return (rest, "") if self._step == self._think else ("", rest)

    def _begin(self) -> tuple[str, str]:
        """Find out whether the reply begins with a thought."""
        visible = self._buffer.lstrip()
        if len(visible) < len(_OPENS) and _OPENS.startswith(visible):
            return "", ""
        if not visible.startswith(_OPENS):
            self._step = self._reply
            return self._reply()
        self._buffer = visible[len(_OPENS) :]
        self._step = self._think
        return self._think()

    def _think(self) -> tuple[str, str]:
        thought, closing, rest = self._buffer.partition(_CLOSES)
        if not closing:
            return self._take(len(self._buffer) - _overlap(self._buffer, _CLOSES)), ""
        self._buffer = rest
        self._step = self._begin_reply
        return thought, self._begin_reply()[1]

    def _begin_reply(self) -> tuple[str, str]:
        """White space between thought and reply belongs to neither."""
        self._buffer = self._buffer.lstrip()
        if self._buffer:
            self._step = self._reply
        return self._reply()

    def _reply(self) -> tuple[str, str]:
        return "", self._take(len(self._buffer))

    def _take(self, length: int) -> str:
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken


def _overlap(text: str, tag: str) -> int:
    """How much of the text's end may be the tag's beginning."""
    return next(
        (size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])),
        0,
    )
