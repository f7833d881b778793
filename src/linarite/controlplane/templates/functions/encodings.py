"""Base64, data URIs and JSON. Source: "String functions" and "Object functions"."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote_to_bytes

import msgspec

from linarite.controlplane.templates.functions.builtin import Builtin, pure
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import text

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Value

_DATA_URI = re.compile(r"data:(?P<type>[^,]*?)(?P<base64>;base64)?,(?P<data>.*)", re.DOTALL)


def to_base64(plain: Value) -> Value:
    """The UTF-8 bytes in base64."""
    return base64.b64encode(text(plain).encode()).decode()


def from_base64(encoded: Value) -> Value:
    """The string that base64 stands for."""
    try:
        return base64.b64decode(text(encoded), validate=True).decode()
    except ValueError:
        raise ExpressionFailed(
            "The provided value is not a valid base64 string of UTF-8 text."
        ) from None


def json_from_base64(encoded: Value) -> Value:
    """The JSON that base64 stands for."""
    return json(from_base64(encoded))


def json(source: Value) -> Value:
    """The value that JSON text stands for."""
    try:
        return cast("Value", msgspec.json.decode(text(source)))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as reason:
        raise ExpressionFailed(f"The value is not valid JSON: {reason}") from None


def data_uri(plain: Value) -> Value:
    """A data URI with the text in it."""
    return f"data:text/plain;charset=utf8;base64,{to_base64(plain)}"


def data_uri_to_string(address: Value) -> Value:
    """The text in a data URI."""
    match = _DATA_URI.fullmatch(text(address))
    if match is None:
        raise ExpressionFailed("The provided value is not a valid data URI.")
    if match["base64"]:
        return from_base64(match["data"])
    return unquote_to_bytes(match["data"]).decode(errors="replace")


ENCODINGS: dict[str, Builtin] = {
    "base64": pure(to_base64),
    "base64ToJson": pure(json_from_base64),
    "base64ToString": pure(from_base64),
    "dataUri": pure(data_uri),
    "dataUriToString": pure(data_uri_to_string),
    "json": pure(json),
}
