"""What a server tells other systems of its own accord, and the port through which parts tell it.

Whoever has something to tell knows neither who wants to hear it nor how it gets there.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has happened. Never a prompt, an answer or a key."""

    type: str
    """what, in words joined by dots, the widest first: `limit.threshold.reached`"""
    data: dict[str, Any]
    """what there is to say, as JSON; the same members for the same type"""
    account_id: str = ""
    """whose matter it is: its egress rules hold for the telling; "" for the server's own"""
    owner: str | None = None
    """who made what it is about, as StoredObject has it; None where nobody did"""
    key: str = ""
    """notices of one key are told once, also across restarts; "" tells each"""


class Notifier(Protocol):
    """Takes notices and sees to it that those who asked for their type hear of them."""

    async def tell(self, notice: Notice) -> None:
        """Keep it until it is delivered; it is on disk when this returns.

        Raises ServiceUnavailable when it can't be kept.
        """
        ...

    def tell_soon(self, notice: Notice) -> None:
        """As `tell`, without waiting: on disk within moments. For the data path; costs 1 µs.

        A server that is killed in these moments has not told it: whoever can notice the same
        again should, with the same `key`.
        """
        ...
