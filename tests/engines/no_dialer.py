"""A dialer for engines that talk to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from linarite.domain.errors import EgressRefused

if TYPE_CHECKING:
    from linarite.domain.dial import Errand


class NoDialer:
    """Lets nothing out."""

    async def dial(self, host: str, port: int, **_: object) -> NoReturn:
        """Refuse."""
        raise EgressRefused(f"An engine wanted to reach {host}:{port}.")

    def require(self, host: str, port: int, errand: Errand) -> NoReturn:
        """Refuse."""
        raise EgressRefused(f"An engine wanted to go on with {host}:{port} for {errand}.")
