"""Customers' keys in a dictionary."""

from __future__ import annotations


class MemoryCustomerKeys:
    """`CustomerKeys` without a folder."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        """id → key; the newest version of a name last"""

    def known(self) -> tuple[str, ...]:
        """The ids, as they were put here."""
        return tuple(self.keys)

    def find(self, key_id: str) -> bytes | None:
        """A key's bytes; None when it is not there."""
        return self.keys.get(key_id)
