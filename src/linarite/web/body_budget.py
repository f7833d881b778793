"""How many bytes of request bodies are held at once."""

from __future__ import annotations

from linarite.domain.errors import ServiceUnavailable


class BodyBudget:
    """What the requests of one listener may hold together."""

    def __init__(self, most: int, setting: str) -> None:
        self._most = most
        self._setting = setting
        self.held = 0

    def take(self, count: int) -> None:
        """Hold so many more. Raises ServiceUnavailable, and holds none, where that is too much."""
        if self.held + count > self._most:
            raise ServiceUnavailable(
                f"request bodies of {self._most} bytes are held: {self._setting}", 5
            )
        self.held += count

    def give_back(self, count: int) -> None:
        """Hold so many less."""
        self.held -= count
