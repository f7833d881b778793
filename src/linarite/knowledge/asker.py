"""For whom documents are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from linarite.domain.principal import Principal


class Asker(NamedTuple):
    """Who asks, and where."""

    account_id: str
    principal: Principal
    sees: str | None
    """whose vector stores: one owner's, None for everybody's"""
    deployment: str
    """that answers the question"""
    host: str
    """the request's Host header, in lower case; "" where it has none"""

    @property
    def account(self) -> str:
        """The account's name, in lower case."""
        return self.account_id.rpartition("/")[2].lower()


class ChatAsking(Protocol):
    """Asks a deployment of the account's, as everybody asks it."""

    async def __call__(self, asker: Asker, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises LinariteError where nobody could answer now."""
        ...
