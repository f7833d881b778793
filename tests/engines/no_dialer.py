"""A dialer for engines that talk to nobody."""

from __future__ import annotations

from typing import NoReturn

from linarite.domain.errors import EgressRefused


class NoDialer:
    """Lets nothing out."""

    async def dial(self, host: str, port: int, **_: object) -> NoReturn:
        """Refuse."""
        raise EgressRefused(f"An engine wanted to reach {host}:{port}.")
