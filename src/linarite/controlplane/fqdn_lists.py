"""Lists of fully qualified domain names: what accounts and perimeters may be told to reach."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, cast

from linarite.domain.arm_errors import Problem
from linarite.domain.errors import EgressRefused
from linarite.domain.target import host_of, literal_address

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_MAX = 10
"""problems of one list; a list that is of something else altogether has a thousand"""


def fqdn_list_problems(sent: object, place: str) -> list[Problem]:
    """Every entry, up to some, that is neither a host name, nor `*.` and the end of one, nor IPv4.

    Source: learn.microsoft.com, "Configure data loss prevention for Foundry Tools": up to 1,000
    IP addresses and fully qualified domain names such as www.microsoft.com.
    """
    entries = cast("Sequence[object]", sent or ())
    found = [
        Problem(
            "InvalidFqdn",
            f"'{str(entry)[:100]}' is not a fully qualified domain name such as "
            "models.example.com, nor `*.` and the end of one, nor an IPv4 address. Write it "
            "without https://, port and path.",
            f"{place}[{number}]",
        )
        for number, entry in enumerate(entries)
        if not _is_entry(entry)
    ]
    return found[:SHOWN_MAX]


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, str):
        return False
    try:
        host = host_of(entry.removeprefix("*."))
    except EgressRefused:
        return False
    address = literal_address(host)
    return address is None or (isinstance(address, IPv4Address) and not entry.startswith("*."))
