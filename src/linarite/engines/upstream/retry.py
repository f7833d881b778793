"""How long to wait before trying again."""

from __future__ import annotations

import email.utils
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 8.0


def back_off_s(attempt: int, luck: float) -> float:
    """The wait after try number `attempt` (from 0) when the upstream gave none.

    It doubles, and `luck` (0 to 1) spreads it over its upper half, so that clients which failed
    together don't come back together.
    """
    return min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**attempt) * (0.5 + luck / 2)


def spread_s(wait_s: float, luck: float) -> float:
    """A little more than a wait that many were told at the same time; never less."""
    return wait_s * (1 + luck / 10) + 0.005 + luck / 50


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """The wait that an answer asks for; None when it asks for none, or not in words we know.

    `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110, 10.2.3). `now` is
    seconds since the epoch.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    try:
        at = email.utils.parsedate_to_datetime(text)
        return max(0.0, at.timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
