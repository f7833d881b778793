"""JSON values as YAML that people like to read.

JSON is YAML already, so only the layout is ours: block style, and a word without quotes where no
reader of YAML 1.1 or 1.2 could take it for anything but that text.
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec

PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))
"""what some reader takes for a boolean or for nothing"""
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""what JSON may hold as it is, and YAML may not"""


def yaml_text(value: Any) -> str:  # noqa: ANN401 - JSON
    """The value as a document, ending in a line break."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: object) -> list[str]:
    if isinstance(value, dict) and value:
        lines: list[str] = []
        for key, inner in cast("dict[str, object]", value).items():
            lines += _entry(f"{_scalar(key)}:", inner)
        return lines
    if isinstance(value, list) and value:
        lines = []
        for inner in cast("list[object]", value):
            first, *rest = _lines(inner)
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        return lines
    return [_scalar(cast("object", value))]


def _entry(head: str, value: object) -> list[str]:
    if isinstance(value, dict | list) and value:
        return [head, *(f"  {line}" for line in _lines(cast("object", value)))]
    return [f"{head} {_scalar(cast('object', value))}"]


def _scalar(value: object) -> str:
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    encoded = msgspec.json.encode(value).decode()
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded)
