"""The port through which bodies reach a collector, and what became of one."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

SignalPath = Literal["/v1/metrics", "/v1/logs", "/v1/traces"]
"""what follows a collector's address, by what is sent"""


class Delivery(msgspec.Struct, frozen=True):
    """What became of one body."""

    taken: bool
    again: bool = False
    """it was not taken, but may be if it is sent once more"""
    unacceptable: bool = False
    """it never will be as it is: something in it is wrong, or it is too large"""
    wait_s: float = 0.0
    """how long the collector asks to be left alone; 0 when it does not say"""
    detail: str = ""
    """for the log: why it was not taken, or in part only"""


class Endpoint(Protocol):
    """A collector."""

    async def deliver(self, path: SignalPath, body: bytes) -> Delivery:
        """Send one body: an `Export…ServiceRequest`. Never raises but when it is cancelled."""
        ...

    async def close(self) -> None:
        """Let go of its connections."""
        ...
