"""Which models a deployment may name: those that this server's instances answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.model_offer import ModelOffer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.options import DeploymentSettings, InstanceSettings

UNKNOWN = {"chatCompletion": "true", "completion": "true", "embeddings": "true"}
"""of a model whose file is not here: a simulated one, or one behind another endpoint"""


class DeployableModels:
    """`ModelOffers` over settings, with what the model store knows of each model."""

    def __init__(
        self,
        deployments: Sequence[DeploymentSettings],
        instances: Mapping[str, InstanceSettings],
        manifests: Iterable[Manifest],
    ) -> None:
        """`deployments` have their instances resolved."""
        self._manifests = {manifest.name: manifest for manifest in manifests}
        self._instances = instances
        used = {deployment.instance for deployment in deployments}
        declared = [
            self._offer(each.instance, each.model, each.model_version, each.model_format)
            for each in deployments
        ]
        others = [
            self._offer(name, each.model or name, "", "OpenAI")
            for name, each in instances.items()
            if name not in used
        ]
        self._offers = with_default_versions([*declared, *others])

    def all(self) -> list[ModelOffer]:
        """Every offer, ordered by name and version; the newest version is the default one."""
        return self._offers

    def _offer(self, instance: str, model: str, version: str, model_format: str) -> ModelOffer:
        manifest = self._manifests.get(self._instances[instance].model or instance)
        return ModelOffer(
            name=model,
            version=version or (manifest.version if manifest else "1"),
            format=model_format,
            capabilities=capabilities_of(manifest) if manifest else UNKNOWN,
            instance=instance,
            source=manifest.source if manifest else "",
        )


def with_default_versions(offers: Iterable[ModelOffer]) -> list[ModelOffer]:
    """Each model and version once, the newest version of each model marked as the default."""
    once: dict[tuple[str, str, str], ModelOffer] = {}
    for offer in offers:
        once.setdefault((offer.name.lower(), offer.format.lower(), offer.version), offer)
    newest = {(name, model_format): version for name, model_format, version in sorted(once)}
    return [
        msgspec.structs.replace(once[key], is_default_version=newest[key[0], key[1]] == key[2])
        for key in sorted(once)
    ]


def capabilities_of(manifest: Manifest) -> dict[str, str]:
    """A model's abilities in ARM's words."""
    able = manifest.capabilities
    flags = {
        "chatCompletion": able.chat_completion,
        "completion": able.completion,
        "embeddings": able.embeddings,
    }
    words = {word: "true" for word, there in flags.items() if there}
    if manifest.context_length:
        words["maxContextToken"] = str(manifest.context_length)
    return words
