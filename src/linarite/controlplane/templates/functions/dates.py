"""Date functions. Source: "Date functions for ARM templates" and .NET's date format strings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from linarite.controlplane.templates.functions.builtin import Builtin, Evaluation, asking, pure
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import integer, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.controlplane.templates.values import Value

ROUND_TRIP = "yyyy-MM-ddTHH:mm:ssZ"
UNIVERSAL_SORTABLE = "yyyyMMddTHHmmssZ"
_MONTHS_OF_YEAR = 12

_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_STANDARD = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "M": "MMMM dd",
    "m": "MMMM dd",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffZ",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffZ",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "U": "dddd, dd MMMM yyyy HH:mm:ss",
    "y": "yyyy MMMM",
    "Y": "yyyy MMMM",
}
_PART = re.compile(
    r"'(?P<quoted>[^']*)'|\\(?P<escaped>.)|yyyy|yy|M{1,4}|d{1,4}|HH?|hh?|mm?|ss?|f{1,7}|tt?|K|z{1,3}"
)
_WRITERS: dict[str, Callable[[datetime], str]] = {
    "yyyy": lambda at: f"{at.year:04d}",
    "yy": lambda at: f"{at.year % 100:02d}",
    "MMMM": lambda at: f"{at:%B}",
    "MMM": lambda at: f"{at:%b}",
    "MM": lambda at: f"{at.month:02d}",
    "M": lambda at: str(at.month),
    "dddd": lambda at: f"{at:%A}",
    "ddd": lambda at: f"{at:%a}",
    "dd": lambda at: f"{at.day:02d}",
    "d": lambda at: str(at.day),
    "HH": lambda at: f"{at.hour:02d}",
    "H": lambda at: str(at.hour),
    "hh": lambda at: f"{(at.hour - 1) % 12 + 1:02d}",
    "h": lambda at: str((at.hour - 1) % 12 + 1),
    "mm": lambda at: f"{at.minute:02d}",
    "m": lambda at: str(at.minute),
    "ss": lambda at: f"{at.second:02d}",
    "s": lambda at: str(at.second),
    "tt": lambda at: "PM" if at.hour >= _MONTHS_OF_YEAR else "AM",
    "t": lambda at: "P" if at.hour >= _MONTHS_OF_YEAR else "A",
    "K": lambda _at: "Z",
    "zzz": lambda _at: "+00:00",
    "zz": lambda _at: "+00",
    "z": lambda _at: "+0",
}


def date_time_add(base: Value, duration: Value, form: Value = None) -> Value:
    """A date moved by an ISO 8601 duration; months keep the day where there is one."""
    start = _read(text(base))
    match = _DURATION.fullmatch(text(duration))
    if match is None or not any(match.groups()[1:]):
        raise ExpressionFailed(f"'{text(duration)}' is not an ISO 8601 duration, such as 'P1D'.")
    try:
        return _written(_moved(start, match), ROUND_TRIP if form is None else text(form))
    except (OverflowError, ValueError):
        raise ExpressionFailed("The date leaves the years 1 to 9999.") from None


def _moved(start: datetime, match: re.Match[str]) -> datetime:
    sign = -1 if match["sign"] else 1
    months = sign * (int(match["years"] or 0) * _MONTHS_OF_YEAR + int(match["months"] or 0))
    year, month = divmod(start.year * _MONTHS_OF_YEAR + start.month - 1 + months, _MONTHS_OF_YEAR)
    first_of_next = datetime(
        year + (month + 1) // _MONTHS_OF_YEAR, (month + 1) % _MONTHS_OF_YEAR + 1, 1, tzinfo=UTC
    )
    last_day = (first_of_next - timedelta(days=1)).day
    moved = start.replace(year=year, month=month + 1, day=min(start.day, last_day))
    return moved + sign * timedelta(
        weeks=int(match["weeks"] or 0),
        days=int(match["days"] or 0),
        hours=int(match["hours"] or 0),
        minutes=int(match["minutes"] or 0),
        seconds=float(match["seconds"] or 0),
    )


def date_time_from_epoch(seconds: Value) -> Value:
    """The date so many seconds after 1970 began."""
    try:
        return _written(datetime.fromtimestamp(integer(seconds), UTC), ROUND_TRIP)
    except (OverflowError, OSError, ValueError):
        raise ExpressionFailed("The date leaves the years 1 to 9999.") from None


def date_time_to_epoch(date: Value) -> Value:
    """How many seconds after 1970 began the date is."""
    return int(_read(text(date)).timestamp())


def utc_now(evaluation: Evaluation, form: Value = UNIVERSAL_SORTABLE) -> Value:
    """The time of the deployment. Only a parameter's default value may ask."""
    return _written(evaluation.surroundings.now, text(form))


def _read(date: str) -> datetime:
    try:
        at = datetime.fromisoformat(date)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ExpressionFailed(f"'{date[:50]}' is not an ISO 8601 date.") from None


def _written(at: datetime, form: str) -> str:
    return _PART.sub(lambda match: _part(at, match), _STANDARD.get(form, form))


def _part(at: datetime, match: re.Match[str]) -> str:
    if match["quoted"] is not None:
        return match["quoted"]
    if match["escaped"] is not None:
        return match["escaped"]
    part = match[0]
    if part.startswith("f"):
        return f"{at.microsecond:06d}0"[: len(part)]
    return _WRITERS[part](at)


DATES: dict[str, Builtin] = {
    "dateTimeAdd": pure(date_time_add, 2, 3),
    "dateTimeFromEpoch": pure(date_time_from_epoch),
    "dateTimeToEpoch": pure(date_time_to_epoch),
    "utcNow": asking(utc_now, 0, 1),
}
