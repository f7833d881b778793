"""The port that keeps what applications store unreadable without their account's key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from linarite.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.domain.secret_box import SecretBox


class ContentDamaged(GatewayError):
    """What was sealed does not open: it was changed, cut off or moved on the disk."""

    control = "server"
    status = 500
    code = "InternalServerError"

    def __init__(self) -> None:
        """Say what helps."""
        super().__init__(
            "The stored content was changed on disk and can't be opened. Whoever runs the server "
            "restores objects.db, files/ and vector_stores/ from a backup."
        )


class ContentKey(Protocol):
    """Seals and opens the bytes of one blob."""

    @property
    def sealed(self) -> str:
        """The key itself, sealed under the account's: to be kept with what speaks of the blob."""
        ...

    def seal(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The bytes as they may be written. Raises what `pieces` raises."""
        ...

    def unseal(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The bytes as they were.

        Nothing is told that was not proved before. Raises ContentDamaged where a piece was
        changed, left out, doubled or moved, or the end is missing; and what `pieces` raises.
        """
        ...


class ContentSeals(Protocol):
    """Who must be sealed, and with what. Raises CustomerKeyUnavailable from all that is async."""

    async def box_for_new(self, account_id: str) -> SecretBox | None:
        """What seals what an account stores from now on; None where it stores in the clear."""
        ...

    async def box_of(self, account_id: str) -> SecretBox:
        """What opens what it has sealed. Raises ContentDamaged where its key is gone."""
        ...

    async def new_key(self, account_id: str, blob: str) -> ContentKey | None:
        """The key for a new blob of that name; None where it is written in the clear."""
        ...

    async def key_of(self, account_id: str, blob: str, sealed: str) -> ContentKey:
        """The key of a blob, from `ContentKey.sealed`. Raises ContentDamaged for another's."""
        ...


class NoSeals:
    """`ContentSeals` of those who seal nothing."""

    async def box_for_new(self, account_id: str) -> SecretBox | None:
        """In the clear."""
        del account_id

    async def box_of(self, account_id: str) -> SecretBox:
        """Nothing was sealed."""
        del account_id
        raise ContentDamaged

    async def new_key(self, account_id: str, blob: str) -> ContentKey | None:
        """In the clear."""
        del account_id, blob

    async def key_of(self, account_id: str, blob: str, sealed: str) -> ContentKey:
        """Nothing was sealed."""
        del account_id, blob, sealed
        raise ContentDamaged
