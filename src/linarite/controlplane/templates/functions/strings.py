"""String functions. Source: "String functions for ARM templates"."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin

from linarite.controlplane.templates.functions.builtin import UNBOUNDED, Builtin, pure
from linarite.controlplane.templates.functions.composite_format import compose
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import array, bounded, integer, show, text

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Value

_UNRESERVED = "-_.!~*'()"


def ends_with(whole: Value, ending: Value) -> Value:
    """Compare the end, without case."""
    return text(whole).lower().endswith(text(ending).lower())


def starts_with(whole: Value, beginning: Value) -> Value:
    """Compare the start, without case."""
    return text(whole).lower().startswith(text(beginning).lower())


def format_(template: Value, *arguments: Value) -> Value:
    """Fill in `{0}`, `{1:N}` as .NET's composite formatting does."""
    return compose(text(template), arguments)


def join(parts: Value, separator: Value) -> Value:
    """One string of an array's members."""
    shown = [show(part) for part in array(parts)]
    bounded(sum(map(len, shown)) + len(text(separator)) * len(shown))
    return text(separator).join(shown)


def pad_left(value: Value, total: Value, filling: Value = " ") -> Value:
    """Right-align in `total` characters."""
    shown = text(value) if isinstance(value, str) else str(integer(value))
    bounded(integer(total))
    if len(text(filling)) != 1:
        raise ExpressionFailed("The padding character must be a single character.")
    return shown.rjust(integer(total), text(filling))


def replace(whole: Value, old: Value, new: Value) -> Value:
    """Every occurrence of one string by another, with case."""
    original, out, into = text(whole), text(old), text(new)
    if not out:
        raise ExpressionFailed("The string to replace must not be empty.")
    bounded(len(original) + original.count(out) * max(0, len(into) - len(out)))
    return original.replace(out, into)


def split(whole: Value, delimiters: Value) -> Value:
    """The parts between delimiters: one string, or any of an array of them."""
    wanted = [delimiters] if isinstance(delimiters, str) else array(delimiters)
    parts = [text(whole)]
    for delimiter in wanted:
        if text(delimiter):
            parts = [piece for part in parts for piece in part.split(text(delimiter))]
    return [*parts]


def substring(whole: Value, start: Value, length: Value = None) -> Value:
    """`length` characters from `start`, or all that follow."""
    original, at = text(whole), integer(start)
    count = len(original) - at if length is None else integer(length)
    if at < 0 or count < 0 or at + count > len(original):
        raise ExpressionFailed(
            "The index and length parameters must refer to a location within the string. The "
            f"index is '{at}', the length '{count}', the string has {len(original)} characters."
        )
    return original[at : at + count]


def trim(whole: Value) -> Value:
    """Without white space at both ends."""
    return text(whole).strip()


def to_lower(whole: Value) -> Value:
    """In lower case."""
    return text(whole).lower()


def to_upper(whole: Value) -> Value:
    """In upper case."""
    return text(whole).upper()


def uri(base: Value, relative: Value) -> Value:
    """The absolute address of a relative one."""
    try:
        return urljoin(text(base), text(relative))
    except ValueError as reason:
        raise ExpressionFailed(f"The address cannot be made: {reason}.") from None


def uri_component(whole: Value) -> Value:
    """Escaped for a place in an address."""
    return quote(text(whole), safe=_UNRESERVED)


def uri_component_to_string(whole: Value) -> Value:
    """Unescaped again."""
    return unquote(text(whole))


STRINGS: dict[str, Builtin] = {
    "endsWith": pure(ends_with, 2),
    "format": pure(format_, 1, UNBOUNDED),
    "join": pure(join, 2),
    "padLeft": pure(pad_left, 2, 3),
    "replace": pure(replace, 3),
    "split": pure(split, 2),
    "startsWith": pure(starts_with, 2),
    "string": pure(show),
    "substring": pure(substring, 2, 3),
    "toLower": pure(to_lower),
    "toUpper": pure(to_upper),
    "trim": pure(trim),
    "uri": pure(uri, 2),
    "uriComponent": pure(uri_component),
    "uriComponentToString": pure(uri_component_to_string),
}
