"""A text that must not be shown."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Holds a key or token. Printing, formatting, logging or pickling it shows nothing of it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself: only where it is put on the wire."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, spec: str) -> str:
        return "…"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")
