"""Where the shared ledger is, as settings write it."""

from __future__ import annotations

import re

import msgspec

from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.target import host_of

_URL = re.compile(
    r"(?P<scheme>valkeys?|rediss?)://"
    r"(?:(?P<user>[^\s@:/,]+)@)?(?P<places>[^\s@/?#]+)(?:/(?P<number>[0-9]{1,5}))?/?"
)
_PLACE = re.compile(
    r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:\[\]]+))(?::(?P<port>[0-9]{1,5}))?"
)
_PORT = 6379
_PORT_MAX = 65535


class ValkeyAddress(msgspec.Struct, frozen=True):
    """One store, or several of which one is the primary."""

    tls: bool
    places: tuple[tuple[str, int], ...]
    """host and port"""
    user: str = ""
    number: int = 0
    """of the database"""


def valkey_address(url: str) -> ValkeyAddress:
    """Read `valkey://[USER@]HOST[:PORT][,HOST[:PORT]…][/NUMBER]`, `valkeys://` for TLS.

    Raises SetupError; the message never shows the text, which may hold a password.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise SetupError(
            'quota.ledger must be "memory" or look like valkey://HOST:PORT or '
            "valkeys://USER@HOST:PORT/0 (with TLS); several hosts are parted by commas, and the "
            "password goes into quota.ledger_password."
        )
    return ValkeyAddress(
        tls=found["scheme"] in ("valkeys", "rediss"),
        places=tuple(_place(each) for each in found["places"].split(",")),
        user=found["user"] or "",
        number=int(found["number"] or 0),
    )


def _place(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    port = int(found["port"] or _PORT) if found else 0
    if found is None or not 0 < port <= _PORT_MAX:
        raise SetupError(f"quota.ledger: {text[:100]!r} is not HOST or HOST:PORT.")
    try:
        return host_of(found["v6"] or found["host"]), port
    except EgressRefused as refused:
        raise SetupError(f"quota.ledger: {refused.message}") from None
