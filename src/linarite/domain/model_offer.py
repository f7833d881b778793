"""Which models can be deployed, as the control plane lists them."""

from __future__ import annotations

from typing import Protocol

import msgspec


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


UNKNOWN_ABILITIES = {"chatCompletion": "true", "completion": "true", "embeddings": "true"}
"""of a model whose file is not here: a simulated one, or one behind another endpoint"""


class Assortment(msgspec.Struct, frozen=True):
    """What can be deployed at a moment."""

    offers: list[ModelOffer]
    """ordered by name and version"""
    any_model: bool = False
    """models that are not listed can be deployed too: they are simulated"""

    def find(self, *, model_format: str, name: str, version: str) -> ModelOffer | None:
        """The offer with these coordinates, compared without case; no version: the default one."""
        alike = [
            offer
            for offer in self.offers
            if offer.name.lower() == name.lower() and offer.format.lower() == model_format.lower()
        ]
        for offer in alike:
            if offer.version == version or (not version and offer.is_default_version):
                return offer
        if not self.any_model or not name:
            return None
        return ModelOffer(
            name=name,
            version=version or "1",
            format=model_format,
            capabilities=UNKNOWN_ABILITIES,
        )


class ModelOffers(Protocol):
    """What can be deployed on this server."""

    def now(self) -> Assortment:
        """The assortment of this moment."""
        ...
