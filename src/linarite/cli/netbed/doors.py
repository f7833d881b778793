"""What a host is told when it knocks at a server's doors."""

from __future__ import annotations

import msgspec

WAIT_S = 3.0
"""how long somebody waits at a door"""


class Wish(msgspec.Struct, frozen=True):
    """At which doors to knock."""

    endpoints: list[str]
    path: str
    key: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What a door said."""

    endpoint: str
    status: int = 0
    """0 where nobody answered"""
    says: str = ""
    """why not"""

    @property
    def served(self) -> bool:
        """Whether one may come in."""
        return self.status == 200  # noqa: PLR2004 - OK
