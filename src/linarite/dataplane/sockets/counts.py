"""How many WebSockets are open."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from linarite.domain.errors import GatewayError, ServiceUnavailable, retry_headers

if TYPE_CHECKING:
    from collections.abc import Generator

    from linarite.dataplane.sockets.options import WebSockets

WAIT_S = 10.0


class TooManySockets(GatewayError):
    """As many WebSockets as an account may have open."""

    control = "quota"
    status = 429
    code = "TooManyRequests"

    def __init__(self, most: int) -> None:
        """Name the limit and its setting."""
        super().__init__(
            f"This account has {most} WebSockets open, which is as many as it may have. Close "
            "some: websockets.account_open_max.",
            hint={"limit": most, "setting": "websockets.account_open_max"},
            headers=retry_headers(WAIT_S),
        )


class SocketCounts:
    """Those of all accounts."""

    def __init__(self, options: WebSockets) -> None:
        self._options = options
        self._of: Counter[str] = Counter()

    @contextmanager
    def counted(self, account_id: str) -> Generator[None]:
        """One more, until it is left. Raises TooManySockets, ServiceUnavailable."""
        options, account = self._options, account_id.lower()
        if self._of.total() >= options.open_max:
            raise ServiceUnavailable(
                f"{options.open_max} WebSockets are open: websockets.open_max", WAIT_S
            )
        if self._of[account] >= options.account_open_max:
            raise TooManySockets(options.account_open_max)
        self._of[account] += 1
        try:
            yield
        finally:
            self._of[account] -= 1
            if not self._of[account]:
                del self._of[account]
