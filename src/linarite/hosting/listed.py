"""The catalogue that the control plane keeps, in memory: what is asked often reads no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.listed_model import LISTED_MODEL_TYPE, is_listed_model, listed_model_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.domain.listed_model import ListedModel
    from linarite.domain.resource import Committed, ResourceStore


class ListedModels:
    """The listed versions. Empty until `refresh`; `follow` keeps it true from then on."""

    def __init__(self, resources: ResourceStore) -> None:
        self._resources = resources
        self._listed: tuple[ListedModel, ...] = ()

    def now(self) -> tuple[ListedModel, ...]:
        """Every listed version."""
        return self._listed

    async def refresh(self) -> None:
        """Read all of them."""
        found = await self._resources.list_under("", LISTED_MODEL_TYPE)
        self._listed = tuple(map(listed_model_of, found))

    async def follow(self, committed: Committed) -> None:
        """Read anew when one was written or removed, before its writer goes on."""
        if touches_models(committed):
            await self.refresh()


def touches_models(committed: Committed) -> bool:
    """Whether listed models were written or removed."""
    return any(map(is_listed_model, _ids(committed)))


def _ids(committed: Committed) -> Iterable[str]:
    return (*committed.written, *committed.removed)
