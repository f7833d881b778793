"""JSON as templates are written: with comments, strings over several lines, commas at an end.

Azure's tools send template files as they are. `az` also sends `{… template: {…}}`, a name without
quotes. Source: "Syntax for ARM templates", comments and multi-line strings.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*+(?:"|\\?\Z))|(?P<comment>//[^\r\n]*|/\*.*?\*/)|(?P<open>/\*.*)'
    r"|(?P<bare>(?<![\w$])[A-Za-z_$][\w$]*+)(?=\s*+:)|(?P<comma>,(?=\s*+[}\]]))",
    re.DOTALL,
)
"""linear in any document: what is not closed reaches to its end, no word begins in its middle"""
_CONTROL = {"\r": "\\r", "\n": "\\n", "\t": "\\t"}


def read(document: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """The document's value. Raises what `msgspec.json.decode` raises for what is wrong with it."""
    try:
        return msgspec.json.decode(document)
    except msgspec.DecodeError:
        return msgspec.json.decode(strict(document.decode("utf-8-sig")))


def strict(document: str) -> str:
    """The document in the words of RFC 8259; what cannot be repaired stays as it is."""
    without_comments = _TOKEN.sub(_without_comment, document)
    return _TOKEN.sub(_repaired, without_comments)


def _without_comment(match: re.Match[str]) -> str:
    return " " if match["comment"] is not None else match[0]


def _repaired(match: re.Match[str]) -> str:
    if match["string"] is not None:
        return "".join(_CONTROL.get(character, character) for character in match[0])
    if match["bare"] is not None:
        return f'"{match[0]}"'
    return "" if match["comma"] is not None else match[0]
