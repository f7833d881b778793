"""Turning a body into a typed ask, and the decoder's complaints into the model layer's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable

AskT = TypeVar("AskT")

SHOWN_MAX = 200
"""characters of what a caller sent that a message repeats"""

_AT = re.compile(r" - at `(?P<path>[^`]*)`$")
_EXPECTED = re.compile(r"^Expected `(?P<want>[^`]+)`(?:, got `(?P<got>[^`]+)`)?")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_INVALID = re.compile(r"^Invalid (?:enum )?value (?P<value>.+)$", re.DOTALL)

_TYPE_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def unrecognized(name: str) -> InvalidRequest:
    """What is said of an argument that nobody knows, by the older operations."""
    return InvalidRequest(f"Unrecognized request argument supplied: {name[:SHOWN_MAX]}")


def unknown_parameter(name: str) -> InvalidRequest:
    """The same by the newer ones, such as responses."""
    shown = name[:SHOWN_MAX]
    return InvalidRequest(f"Unknown parameter: '{shown}'.", param=shown, code="unknown_parameter")


def decode(
    decoder: msgspec.json.Decoder[AskT],
    body: bytes,
    unknown: Callable[[str], InvalidRequest] = unrecognized,
) -> AskT:
    """Decode a body. Raises InvalidRequest with the field named as the service names it."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as problem:
        raise _explain(str(problem), unknown) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequest(
            "We could not parse the JSON body of your request. (HINT: This likely means you "
            "aren't using your HTTP library correctly. The service expects a JSON payload, but "
            "what was sent was not valid JSON.)"
        ) from None
    except RecursionError:
        raise InvalidRequest(
            "The JSON body of your request is nested too deeply.", code="invalid_json"
        ) from None


def converted(value: Any, kind: type[AskT], where: str) -> AskT:  # noqa: ANN401 - any JSON
    """What was decoded already, as that kind; `where` is its place in the request.

    Raises InvalidRequest.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as problem:
        raise _explain(str(problem), unknown_parameter, where) from None


def _explain(
    problem: str, unknown: Callable[[str], InvalidRequest], where: str = ""
) -> InvalidRequest:
    found = _AT.search(problem)
    path = found["path"] if found else "$"
    text = problem[: found.start()] if found else problem
    field = f"{where}{path.removeprefix('$')}".removeprefix(".").replace("[...]", "")
    if missing := _MISSING.match(text):
        name = f"{field}.{missing['name']}" if field else missing["name"]
        return InvalidRequest(
            f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
        )
    if told := _UNKNOWN.match(text):
        return unknown(f"{field}.{told['name']}" if field else told["name"])
    if wrong := _EXPECTED.match(text):
        return _wrong_type(field, wrong["want"], wrong["got"])
    if invalid := _INVALID.match(text):
        return InvalidRequest(
            f"Invalid value: {invalid['value'][:SHOWN_MAX]} for '{field}'.",
            param=field or None,
            code="invalid_value",
        )
    return InvalidRequest(f"Invalid value for '{field}': {text}.", param=field or None)


def _wrong_type(field: str, want: str, got: str | None) -> InvalidRequest:
    wanted = " or ".join(
        _TYPE_WORDS.get(word.strip(), word.strip())
        for word in want.split("|")
        if word.strip() != "null"
    )
    instead = f", but got {_TYPE_WORDS.get(got, got)} instead" if got else ""
    where = f"'{field}'" if field else "the request body"
    return InvalidRequest(
        f"Invalid type for {where}: expected {wanted}{instead}.",
        param=field or None,
        code="invalid_type",
    )
