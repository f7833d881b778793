"""The port that keeps secrets unreadable where they must wait on disk."""

from __future__ import annotations

from typing import Protocol


class SecretBox(Protocol):
    """Seals under the master key or an account's own.

    What is sealed opens only under the name it was sealed for.
    """

    def seal(self, name: str, plain: bytes) -> str:
        """The sealed bytes, as text."""
        ...

    def unseal(self, name: str, sealed: str) -> bytes:
        """Undo `seal`. Raises SetupError for another name or another key."""
        ...
