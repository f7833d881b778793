"""How two values are compared, by operator. None: they can't be."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import UTC, datetime, time
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controls.authorize.conditions.tree import Literal, Value

if TYPE_CHECKING:
    from linarite.controls.authorize.conditions.tree import Attribute

GUID_DIGITS = 32
UNREADABLE = (ValueError, KeyError, TypeError, OverflowError)
"""what readers raise for a value that means nothing to them"""


def text_of(value: Value) -> str:
    """A value as text."""
    if isinstance(value, str):
        return value
    raise ValueError


def folded_of(value: Value) -> str:
    """A text whose case does not count."""
    return text_of(value).casefold()


def guid_of(value: Value) -> str:
    """A GUID in any of its forms."""
    digits = text_of(value).lower().replace("-", "").strip("{}")
    if len(digits) != GUID_DIGITS or any(digit not in "0123456789abcdef" for digit in digits):
        raise ValueError
    return digits


def number_of(value: Value) -> float:
    """A number, also one that is written as text."""
    if isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - every reader says it this way
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def bool_of(value: Value) -> bool:
    """True or false, also as text."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[text_of(value).lower()]


def moment_of(value: Value) -> datetime:
    """A moment; without an offset it is in UTC."""
    moment = datetime.fromisoformat(text_of(value))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def time_of(value: Value) -> time:
    """The time of a day in UTC; of a moment, its own."""
    written = text_of(value)
    if "T" in written or "-" in written[1:]:
        return moment_of(value).astimezone(UTC).time()
    clock = time.fromisoformat(written.removesuffix("Z"))
    if clock.tzinfo is not None:
        raise ValueError
    return clock


def address_of(value: Value) -> IPv4Address | IPv6Address:
    """An address."""
    return ip_address(text_of(value))


def network_of(value: Value) -> IPv4Network | IPv6Network:
    """A network; an address is one of its own."""
    return ip_network(text_of(value), strict=False)


def like(text: str, pattern: str) -> bool:
    """`*` for any characters, `?` for one."""
    at = in_pattern = 0
    star, resumed = -1, 0
    while at < len(text):
        if in_pattern < len(pattern) and pattern[in_pattern] == "*":
            star, resumed = in_pattern, at
            in_pattern += 1
        elif in_pattern < len(pattern) and pattern[in_pattern] in ("?", text[at]):
            at += 1
            in_pattern += 1
        elif star >= 0:
            resumed += 1
            at, in_pattern = resumed, star + 1
        else:
            return False
    return all(left == "*" for left in pattern[in_pattern:])


class Comparer(msgspec.Struct, frozen=True):
    """One operator."""

    read: Callable[[Value], Any]
    """what a value means to it; raises one of UNREADABLE for what means nothing"""
    fits: Callable[[Any, Any], bool]
    read_right: Callable[[Value], Any] | None = None
    """of what stands on the right, where that means something else"""


def _family(name: str, read: Callable[[Value], Any]) -> dict[str, Comparer]:
    return {
        f"{name}equals": Comparer(read, operator.eq),
        f"{name}lessthan": Comparer(read, operator.lt),
        f"{name}lessthanequals": Comparer(read, operator.le),
        f"{name}greaterthan": Comparer(read, operator.gt),
        f"{name}greaterthanequals": Comparer(read, operator.ge),
    }


def _texts(ending: str, read: Callable[[Value], Any]) -> dict[str, Comparer]:
    return {
        f"stringequals{ending}": Comparer(read, operator.eq),
        f"stringstartswith{ending}": Comparer(read, str.startswith),
        f"stringlike{ending}": Comparer(read, like),
    }


COMPARERS: dict[str, Comparer] = {
    **_texts("", text_of),
    **_texts("ignorecase", folded_of),
    **_family("numeric", number_of),
    **_family("datetime", moment_of),
    **_family("timeofday", time_of),
    "boolequals": Comparer(bool_of, operator.eq),
    "guidequals": Comparer(guid_of, operator.eq),
    "ipmatch": Comparer(address_of, lambda one, network: one in network, network_of),
}
"""by name in lower case; each but the ranges has an opposite with `Not`"""
RANGES = {
    "numericinrange": number_of,
    "datetimeinrange": moment_of,
    "timeofdayinrange": time_of,
}
"""between two values, both included"""


def unreadable(operand: Attribute | Literal, name: str, *, right: bool) -> str:
    """The first value that the operator can't read; "" when it can read all."""
    if not isinstance(operand, Literal):
        return ""
    for value in operand.values:
        try:
            reader_of(name, right=right)(value)
        except UNREADABLE:
            return str(value)[:60] or "''"
    return ""


def reader_of(name: str, *, right: bool) -> Callable[[Value], Any]:
    """What reads values for an operator, on either of its sides."""
    if name in RANGES:
        return RANGES[name]
    comparer = COMPARERS[name]
    return (comparer.read_right or comparer.read) if right else comparer.read
