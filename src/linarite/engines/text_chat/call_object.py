"""A JSON object that may be a call, judged while it is still being written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from linarite.domain.json_values import is_object

if TYPE_CHECKING:
    from collections.abc import Collection

_ARGUMENT_KEYS = ("arguments", "parameters")
_FIRST_KEYS = ("name", "type", "function", *_ARGUMENT_KEYS)
_SECOND_KEYS = ("type", "id", *_ARGUMENT_KEYS)
_STRING = r'"((?:[^"\\]|\\.)*)"'
_FIRST_KEY = re.compile(r'\{\s*(?:"([^"\\]*)("?))?')
_NAMED = re.compile(r"\{\s*\"name\"\s*:\s*" + _STRING, re.DOTALL)
_NAMED_HEAD = re.compile(
    _NAMED.pattern + r"\s*,\s*\"(?:arguments|parameters)\"\s*:\s*(?=\{)", re.DOTALL
)
_NEXT_KEY = re.compile(r'\s*(?:(,)\s*(?:"([^"\\]*)("?))?)?')
_NO_STRING_VALUE = re.compile(r"\{\s*\"(?:name|type)\"\s*:\s*[^\s\"]")
_TYPED = re.compile(r"\{\s*\"type\"\s*:\s*" + _STRING, re.DOTALL)
_MARKS = re.compile(r'["\\{}\[\]]')
_NO_JSON = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""what decoding raises for a text that is no JSON, or nested too deeply"""


class Verdict(NamedTuple):
    """What an object turned out to be.

    `more`: undecided. `no`: no call. `begins`: a call whose arguments begin at `end`.
    `whole`: a complete call that ends at `end`. `unknown`: a complete call of a function that was
    not offered, which ends at `end`.
    """

    kind: Literal["more", "no", "begins", "whole", "unknown"]
    end: int = 0
    name: str = ""
    arguments: str = ""


_MORE = Verdict("more")
_NO = Verdict("no")


class JsonScan:
    """Finds the end of the JSON object or array that the text fed to it begins with."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def advance(self, text: str) -> int | None:
        """Take the next piece; return where in it the value ends, None when it goes on."""
        position = 0
        while position < len(text):
            if self._escaped:
                self._escaped = False
                position += 1
                continue
            mark = _MARKS.search(text, position)
            if mark is None:
                return None
            position = mark.end()
            if self._closes(mark[0]):
                return position
        return None

    def _closes(self, mark: str) -> bool:
        if mark == "\\":
            self._escaped = self._in_string
        elif mark == '"':
            self._in_string = not self._in_string
        elif not self._in_string:
            self._depth += 1 if mark in "{[" else -1
            return self._depth == 0
        return False


class CallObject:
    """Judges the text from its `{` on, each time with more of it.

    A verdict other than `more` is final: more text would not have changed it. So it does not
    matter in which pieces the text arrives.
    """

    def __init__(self, names: Collection[str], *, unknown_counts: bool) -> None:
        """`unknown_counts`: a call of an unknown function is worth a verdict of its own."""
        self._names = names
        self._unknown_counts = unknown_counts
        self._scan = JsonScan()
        self._scanned = 0

    def judge(self, text: str) -> Verdict:
        """Judge what there is so far."""
        head = _NAMED_HEAD.match(text)
        if head and (name := _unescaped(head[1])) in self._names:
            return Verdict("begins", head.end(), name)
        if self._cannot_be(text):
            return _NO
        ends = self._scan.advance(text[self._scanned :])
        if ends is None:
            self._scanned = len(text)
            return _MORE
        return self._judge_whole(text[: self._scanned + ends])

    def _cannot_be(self, text: str) -> bool:
        first = _FIRST_KEY.match(text)
        if first is None or first[1] is None:
            # Behind the brace is nothing yet but space, or something that begins no key.
            return bool(text[1:].strip())
        if not _may_be(first[1], first[2], _FIRST_KEYS) or _NO_STRING_VALUE.match(text):
            return True
        if typed := _TYPED.match(text):
            return typed[1] != "function"
        named = _NAMED.match(text)
        if named is None or _unescaped(named[1]) in self._names:
            return False
        return not self._unknown_counts or _cannot_follow(text[named.end() :])

    def _judge_whole(self, text: str) -> Verdict:
        try:
            value = msgspec.json.decode(text)
        except _NO_JSON:
            return _NO
        call = _call_in(value)
        if call is None:
            return _NO
        name, arguments = call
        if name in self._names:
            return Verdict("whole", len(text), name, arguments if arguments is not None else "{}")
        if self._unknown_counts and arguments is not None:
            return Verdict("unknown", len(text), name, arguments)
        return _NO


def _cannot_follow(text: str) -> bool:
    """Behind the name comes what no call has."""
    key = _NEXT_KEY.match(text)
    if key is None or key[2] is None:
        # Nothing but a comma and space so far, or the object has no further key.
        return bool(text.strip().removeprefix(",").strip())
    return not _may_be(key[2], key[3], _SECOND_KEYS)


def _may_be(key: str, closed: str | None, known: Collection[str]) -> bool:
    return key in known if closed else any(name.startswith(key) for name in known)


def _call_in(value: object) -> tuple[str, str | None] | None:
    """Name and arguments of a call in any of the shapes models give it; no arguments is None."""
    if not is_object(value):
        return None
    function = value.get("function")
    if is_object(function):
        return _call_in({**function, "function": None})
    name = function if isinstance(function, str) else value.get("name")
    if not isinstance(name, str):
        return None
    given = next((value[key] for key in _ARGUMENT_KEYS if key in value), None)
    if given is None:
        extra = set(value) - {"name", "function", "type", "id", *_ARGUMENT_KEYS}
        return None if extra else (name, None)
    if isinstance(given, str):
        # Some models put the arguments into a string, as the API does.
        return name, given if _is_object(given) else msgspec.json.encode(given).decode()
    return name, msgspec.json.encode(given).decode()


def _is_object(text: str) -> bool:
    try:
        return is_object(msgspec.json.decode(text))
    except _NO_JSON:
        return False


def _unescaped(raw: str) -> str:
    try:
        return msgspec.json.decode(f'"{raw}"', type=str)
    except (msgspec.MsgspecError, UnicodeError):
        return raw
