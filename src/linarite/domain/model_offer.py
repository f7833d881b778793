"""Which models can be deployed, as the control plane lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from linarite.domain.model_lifecycle import Lifecycle, order_of

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.domain.facts import Model


class ModelOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a deployment may name, by ARM's three coordinates."""

    name: str
    version: str
    format: str = "OpenAI"
    is_default_version: bool = True
    capabilities: dict[str, str] = {}
    """ARM's words with "true" or a number as text: chatCompletion, maxContextToken …"""
    source: str = ""
    """where it comes from, for people"""
    lifecycle: Lifecycle = Lifecycle()


UNKNOWN_ABILITIES = {"chatCompletion": "true", "completion": "true", "embeddings": "true"}
"""of a model whose file is not here: a simulated one, or one behind another endpoint"""


class Assortment(msgspec.Struct, frozen=True):
    """What can be deployed at a moment."""

    offers: list[ModelOffer]
    """ordered by name and version"""
    any_model: bool = False
    """models that are not listed can be deployed too: they are simulated"""

    def listed(self, model: Model) -> ModelOffer | None:
        """The listed offer of exactly this version; none is made up."""
        wanted = (model.name.lower(), model.format.lower(), model.version.lower())
        return next(
            (
                offer
                for offer in self.offers
                if (offer.name.lower(), offer.format.lower(), offer.version.lower()) == wanted
            ),
            None,
        )

    def default_of(self, *, model_format: str, name: str) -> ModelOffer | None:
        """The default version of a listed model."""
        return next(
            (
                offer
                for offer in self.offers
                if offer.is_default_version
                and offer.name.lower() == name.lower()
                and offer.format.lower() == model_format.lower()
            ),
            None,
        )

    def default_at(self, moment: datetime, *, model_format: str, name: str) -> ModelOffer | None:
        """The version that is the default one then, as far as is known today."""
        alike = [
            offer
            for offer in self.offers
            if offer.name.lower() == name.lower() and offer.format.lower() == model_format.lower()
        ]
        return max(alike, key=lambda offer: _claim(offer, moment), default=None)

    def find(self, *, model_format: str, name: str, version: str) -> ModelOffer | None:
        """The offer with these coordinates, compared without case; no version: the default one."""
        alike = [
            offer
            for offer in self.offers
            if offer.name.lower() == name.lower() and offer.format.lower() == model_format.lower()
        ]
        for offer in alike:
            if offer.version.lower() == version.lower() or (
                not version and offer.is_default_version
            ):
                return offer
        if not self.any_model or not name:
            return None
        return ModelOffer(
            name=name,
            version=version or "1",
            format=model_format,
            capabilities=UNKNOWN_ABILITIES,
        )


def _claim(offer: ModelOffer, moment: datetime) -> tuple[bool, bool, datetime, object]:
    """What makes a version the default one, the strongest first."""
    since = offer.lifecycle.default_since
    return (
        not offer.lifecycle.retired(moment),
        since is not None,
        since or moment,
        order_of(offer.version),
    )


class ModelOffers(Protocol):
    """What can be deployed on this server."""

    def now(self) -> Assortment:
        """The assortment of this moment."""
        ...
