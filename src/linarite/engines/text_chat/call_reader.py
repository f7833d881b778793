"""Finding calls in what a model writes, while it writes.

Small models write calls in several forms, whatever their template says: in `<tool_call>` tags, in a
code fence, as bare JSON, one or a list of them. Only what may be the beginning of a call is held
back; everything else goes on at once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from linarite.engines.text_chat.call_object import CallObject, JsonScan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_TAGS = ("<tool_call>", "<tools>", "<function_call>")
_FENCE = "```"
_FENCE_KINDS = ("", "json", "xml", "tool_call", "tool_calls", "tool_code")
_SPECIAL = re.compile(r"[<`{\[]")
_CLOSERS = re.compile(r"(?:\s|[\],;]|`|</(?:tool_call|tools|function_call)>)*")


class Said(NamedTuple):
    """Text for the reader of the reply."""

    text: str


class CallBegan(NamedTuple):
    """A call begins; `number` counts from 0."""

    number: int
    name: str


class CallArguments(NamedTuple):
    """More of the arguments of that call."""

    number: int
    text: str


Item = Said | CallBegan | CallArguments


class CallReader:
    """Feed it the reply in pieces; the items do not depend on where the pieces are cut.

    Text behind the first call is dropped, but for further calls: models tend to make up the
    results themselves.
    """

    def __init__(self, names: Collection[str], *, calls_max: int | None = None) -> None:
        """`names` are the functions on offer; beyond `calls_max` calls the rest is dropped."""
        self._names = names
        self._calls_max = calls_max
        self.calls = 0
        """how many calls have begun"""
        self.unknown_call = ""
        """the reply, when all of it was a call of a function that is not on offer"""
        self._buffer = ""
        self._items: list[Item] = []
        self._step: Callable[[], bool] = self._scan_text
        self._final = False
        self._at_line_start = True
        self._space = ""
        """white space whose fate depends on what follows: before a call it is dropped"""
        self._said = False
        self._held = ""
        """consumed, and text after all if no call follows"""
        self._object = CallObject((), unknown_counts=False)
        self._arguments = JsonScan()

    @property
    def in_call(self) -> bool:
        """The arguments of the last call are not complete yet."""
        return self._step == self._pass_arguments

    @property
    def complete(self) -> bool:
        """There are as many calls as there may be, the last one to its end."""
        return self.calls == self._calls_max and self._step == self._scan_calls

    def feed(self, text: str) -> list[Item]:
        """Take more of the reply and return what is certain now."""
        self._buffer += text
        while self._buffer and self._step():
            pass
        items, self._items = self._items, []
        return items

    def finish(self) -> list[Item]:
        """The reply is over: return what was held back."""
        self._final = True
        items = self.feed("")
        if self._step == self._hold_unknown:
            rest = _CLOSERS.fullmatch(self._buffer)
            if rest:
                self.unknown_call = self._space + self._held + self._buffer
                self._buffer = ""
                return items
            self._release()
            items += self.feed("")
        if self._held:
            # An opened tag or fence, and then nothing.
            self._release()
            items += self.feed("")
        if self._space and not self.calls:
            items.append(Said(self._space))
        return items

    # Each step takes from the buffer and says whether to go on; False is: wait for more.

    def _scan_text(self) -> bool:
        special = _SPECIAL.search(self._buffer)
        if special is None:
            self._say(len(self._buffer))
            return False
        self._say(special.start())
        opener = self._opener()
        if opener is None:
            return False
        if not opener:
            self._say(1)
        elif opener == "{":
            self._expect_object()
        else:
            self._hold(len(opener))
            self._step = self._after_opener
        return True

    def _opener(self) -> str | None:
        """What the buffer begins with that may open a call; "" for nothing, None for undecided."""
        buffer = self._buffer
        if buffer[0] == "<":
            return self._one_of(_TAGS)
        if not self._at_line_start:
            return ""
        return self._fence() if buffer[0] == "`" else buffer[0]

    def _one_of(self, openers: Collection[str]) -> str | None:
        for opener in openers:
            if self._buffer.startswith(opener):
                return opener
        undecided = any(opener.startswith(self._buffer) for opener in openers)
        return None if undecided and not self._final else ""

    def _fence(self) -> str | None:
        """A code fence that may hold a call, with its line."""
        line, newline, _ = self._buffer.partition("\n")
        kind = line[len(_FENCE) :].strip().lower()
        if newline:
            fits = line.startswith(_FENCE) and kind in _FENCE_KINDS
            return line + newline if fits else ""
        if self._final or not (line.startswith(_FENCE) or _FENCE.startswith(line)):
            return ""
        return None if any(known.startswith(kind) for known in _FENCE_KINDS) else ""

    def _after_opener(self) -> bool:
        """Behind a tag, a fence or a bracket: an object, or one more opener."""
        space = len(self._buffer) - len(self._buffer.lstrip())
        self._hold(space)
        if not self._buffer:
            return False
        if self._buffer[0] == "{":
            self._expect_object()
        elif self._buffer[0] == "[" and not self._held.rstrip().endswith("["):
            self._hold(1)
        else:
            opener = self._one_of(_TAGS) if self._held.startswith(_FENCE) else ""
            if opener is None:
                return False
            if opener:
                self._hold(len(opener))
            else:
                self._release()
        return True

    def _expect_object(self) -> None:
        alone = not self._said and not self.calls
        self._object = CallObject(self._names, unknown_counts=alone)
        self._step = self._judge_object

    def _judge_object(self) -> bool:
        verdict = self._object.judge(self._buffer)
        if verdict.kind == "more" and not self._final:
            return False
        if verdict.kind in {"more", "no"}:
            self._release(1)
        elif verdict.kind == "unknown":
            self._hold(verdict.end)
            self._step = self._hold_unknown
        else:
            self._begin_call(verdict.name)
            self._buffer = self._buffer[verdict.end :]
            if verdict.kind == "whole":
                self._items.append(CallArguments(self.calls - 1, verdict.arguments))
                self._step = self._scan_calls
            else:
                self._arguments = JsonScan()
                self._step = self._pass_arguments
        return True

    def _hold_unknown(self) -> bool:
        # Whether the reply is nothing but this shows at its end.
        return False

    def _begin_call(self, name: str) -> None:
        self._held = self._space = ""
        self._items.append(CallBegan(self.calls, name))
        self.calls += 1

    def _pass_arguments(self) -> bool:
        end = self._arguments.advance(self._buffer)
        piece = self._buffer if end is None else self._buffer[:end]
        self._items.append(CallArguments(self.calls - 1, piece))
        self._buffer = self._buffer[len(piece) :]
        if end is not None:
            self._step = self._scan_calls
        return True

    def _scan_calls(self) -> bool:
        """Behind a call: whatever is no further one is dropped."""
        start = self._buffer.find("{")
        if start < 0 or self.complete:
            self._buffer = ""
            return False
        self._buffer = self._buffer[start:]
        self._expect_object()
        return True

    # Text.

    def _hold(self, length: int) -> None:
        self._held += self._buffer[:length]
        self._buffer = self._buffer[length:]

    def _release(self, further: int = 0) -> None:
        """What was held is text, and so is the beginning of the buffer."""
        self._buffer = self._held + self._buffer
        length = len(self._held) + further
        self._held = ""
        if self.calls:
            self._buffer = self._buffer[length:]
            self._step = self._scan_calls
        else:
            self._say(length)
            self._step = self._scan_text

    def _say(self, length: int) -> None:
        text, self._buffer = self._buffer[:length], self._buffer[length:]
        if not text:
            return
        _, newline, line = text.rpartition("\n")
        self._at_line_start = not line.strip() and (bool(newline) or self._at_line_start)
        text = self._space + text
        visible = text.rstrip()
        self._space = text[len(visible) :]
        if visible:
            self._said = True
            last = self._items.pop() if self._items else None
            if isinstance(last, Said):
                visible = last.text + visible
            elif last is not None:
                self._items.append(last)
            self._items.append(Said(visible))
