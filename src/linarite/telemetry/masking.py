"""What looks like a secret is masked before a line is written, wherever in the line it is.

A net under the rule that secrets are not logged at all. It knows the shapes of keys and tokens,
ours and others'; it cannot know a prompt, so fields that could hold one are not let through
(`log_fields`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "[masked]"
TEXT_MAX = 2_000
"""characters of one value; exceptions have `TRACEBACK_MAX`"""
TRACEBACK_MAX = 20_000

_SECRET = re.compile(
    r"""
      (?P<bearer> \bbearer \s+ ) [\w.~+/=-]{8,}               # Authorization: Bearer …
    | (?<![\w-]) eyJ [\w-]{6,} \. [\w-]{6,} (?: \. [\w-]* )?    # a JSON web token
    | (?<![A-Za-z0-9]) (?: sk | hf | gh[opsu] | xox[abp] ) [_-] [\w-]{16,}   # vendors' prefixes
    | (?P<named>
        (?: api[_-]?key | subscription[_-]key | authorization | password | secret | token | sig )
        ["']? \s* [:=] \s* ["']? (?: (?: bearer | basic ) \s+ )?
      ) [^\s"'&,;]{6,}                                        # api-key: …, token=…
    | (?P<userinfo> :// [^/\s:@]* : ) [^/\s@]+ (?=@)          # scheme://name:password@
    """,
    re.VERBOSE | re.IGNORECASE,
)

# Account keys: 64 characters and more, letters of both cases and digits. Not hexadecimal digests.
_RUN = re.compile(r"[A-Za-z0-9]{40,}")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_NEWLINE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def masked(text: str) -> str:
    """The text with `[masked]` where a secret may have been."""
    text = _SECRET.sub(_keep_name, text)
    return _RUN.sub(_mask_mixed, text)


def plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    """A logged value as one line of masked, bounded text, or as the number or list it is."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return {plain(str(name)): plain(item) for name, item in items}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in cast("Iterable[object]", value)]
    return _CONTROL.sub(_visible, masked(str(value)[:TEXT_MAX]))


def plain_traceback(text: str) -> str:
    """As `plain`, but lines stay lines."""
    return _CONTROL_BUT_NEWLINE.sub(_visible, masked(text[:TRACEBACK_MAX]))


def _keep_name(match: re.Match[str]) -> str:
    kept = match["bearer"] or match["named"] or match["userinfo"] or ""
    return kept + MASK


def _mask_mixed(match: re.Match[str]) -> str:
    run = match[0]
    return run if run.islower() or run.isupper() or run.isalpha() or run.isdigit() else MASK


def _visible(match: re.Match[str]) -> str:
    """Escaped, so that text from outside can neither start a new line nor steer a terminal."""
    return match[0].encode("unicode_escape").decode("ascii")
