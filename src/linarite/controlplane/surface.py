"""What the verbs work on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.domain.model_offer import ModelOffer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from linarite.controlplane.preview import Preview
    from linarite.controlplane.request import Answer, ArmRequest
    from linarite.domain.model_offer import ModelOffers
    from linarite.domain.resource import KeyStore, ResourceStore


class Place(msgspec.Struct, frozen=True):
    """A region of this server."""

    name: str
    """as ARM writes it: `eastus2`"""
    title: str
    """as people read it: `East US 2`"""


class Realm(msgspec.Struct, frozen=True):
    """What is fixed while the server runs: who owns it and where it is."""

    tenant: str
    subscription: str
    subscription_title: str
    places: tuple[Place, ...]

    @property
    def locations(self) -> tuple[str, ...]:
        """The names of all regions."""
        return tuple(place.name for place in self.places)


class Showing(msgspec.Struct, frozen=True):
    """What showing a resource may need beside it."""

    base_url: str
    offers: list[ModelOffer]
    api_version: str


class Plane(Protocol):
    """The control plane, as those use it who work in it."""

    @property
    def stored_types(self) -> Sequence[str]:
        """The types of the resources that are kept."""
        ...

    async def serve(self, request: ArmRequest) -> Answer:
        """Answer a request. Raises ArmError and other LinariteErrors."""
        ...

    async def preview(self, request: ArmRequest) -> Preview:
        """What a PUT would do, without doing it. Raises ArmError."""
        ...

    def check(self, request: ArmRequest) -> Any:  # noqa: ANN401 - nobody here looks into it
        """Refuse what has no row, an unknown api-version or no permission. Raises ArmError."""
        ...


class Surface:
    """The stores and facts behind the control plane, the same for every request."""

    def __init__(
        self,
        *,
        realm: Realm,
        resources: ResourceStore,
        keys: KeyStore,
        offers: ModelOffers,
        changed: Callable[[], Awaitable[None]],
        now: Callable[[], datetime],
    ) -> None:
        """`changed` is awaited after each write: the data path reads its facts anew."""
        self.realm = realm
        self.resources = resources
        self.keys = keys
        self.offers = offers
        self.changed = changed
        self.now = now
        self.plane: Plane
        """set by the control plane itself: what makes requests of its own makes them here"""
        self.turn = asyncio.Lock()
        """held from reading what a decision rests on until it is written: no two decisions cross"""

    def showing(self, request: ArmRequest) -> Showing:
        """What showing resources in the answer to a request needs."""
        return Showing(
            base_url=request.base_url, offers=self.offers.all(), api_version=request.api_version
        )
