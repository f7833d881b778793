"""The port through which a server brings models into its store, and takes them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.listed_model import ListedModel


class ModelFetcher(Protocol):
    """Brings the files of listed models. Each call may be made again after a restart."""

    async def fetch(
        self, listed: ListedModel, progress: Callable[[float, str], None]
    ) -> dict[str, Any]:
        """Bring the version's file into the store; facts about it, for the catalogue.

        What is there already is not brought again. Raises LinariteErrors that say why it can't be
        had. Cancelled, it leaves the store as it was.
        """
        ...

    async def discard(self, listed: ListedModel) -> None:
        """Take the version's file out of the store, if it is there."""
        ...
