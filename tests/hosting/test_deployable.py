"""Which models are offered, and what is said of them."""

from __future__ import annotations

from linarite.hosting.deployable import DeployableModels
from linarite.hosting.models.manifest import ModelCapabilities
from linarite.hosting.options import DeploymentSettings, Hosting, InstanceSettings
from tests.hosting.test_engine_choice import manifest


def test_an_instances_model_is_found_whatever_its_case() -> None:
    """Model names are compared without case, as everywhere."""
    stored = manifest(version="3", capabilities=ModelCapabilities(embeddings=True))
    models = DeployableModels(
        [DeploymentSettings("vectors", "text-embedding-3-small", model_version="", instance="i")],
        {"i": InstanceSettings(model="MINE")},
        lambda: [stored],
        Hosting(engine="upstream"),
    )
    (offer,) = models.now().offers
    assert (offer.name, offer.version) == ("text-embedding-3-small", "3")
    assert offer.capabilities == {"embeddings": "true"}
