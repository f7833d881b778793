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
    instance: str
    """the instance that serves it"""
    source: str = ""
    """where it comes from, for people"""


class ModelOffers(Protocol):
    """What can be deployed on this server."""

    def all(self) -> list[ModelOffer]:
        """Every offer, ordered by name and version."""
        ...


def find_offer(
    offers: list[ModelOffer], *, model_format: str, name: str, version: str
) -> ModelOffer | None:
    """The offer with these coordinates, compared without case; no version means the default."""
    alike = [
        offer
        for offer in offers
        if offer.name.lower() == name.lower() and offer.format.lower() == model_format.lower()
    ]
    if version:
        return next((offer for offer in alike if offer.version == version), None)
    return next((offer for offer in alike if offer.is_default_version), None)
