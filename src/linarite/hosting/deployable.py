"""Which models a deployment may name: those of settings, those of the store, or any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.model_offer import UNKNOWN_ABILITIES, Assortment, ModelOffer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.options import DeploymentSettings, Hosting, InstanceSettings


class DeployableModels:
    """`ModelOffers` over settings and the model store."""

    def __init__(
        self,
        deployments: Sequence[DeploymentSettings],
        instances: Mapping[str, InstanceSettings],
        manifests: Callable[[], Iterable[Manifest]],
        hosting: Hosting,
    ) -> None:
        """`deployments` have their instances resolved."""
        self._deployments = deployments
        self._instances = instances
        self._manifests = manifests
        self._hosting = hosting

    def now(self) -> Assortment:
        """What settings name comes first; the newest version of a model is its default one."""
        known = {manifest.name: manifest for manifest in self._manifests()}
        used = {deployment.instance for deployment in self._deployments}
        offers = [
            self._offer(each.instance, each.model, each.model_version, each.model_format, known)
            for each in self._deployments
        ]
        offers += [
            self._offer(name, each.model or name, "", "OpenAI", known)
            for name, each in self._instances.items()
            if name not in used
        ]
        if self._hosting.engine not in {"simulator", "upstream"}:
            offers += [_of_manifest(manifest) for manifest in known.values()]
        return Assortment(
            offers=with_default_versions(offers), any_model=self._hosting.engine == "simulator"
        )

    def _offer(
        self,
        instance: str,
        model: str,
        version: str,
        model_format: str,
        known: Mapping[str, Manifest],
    ) -> ModelOffer:
        manifest = known.get((self._instances[instance].model or instance).lower())
        return ModelOffer(
            name=model,
            version=version or (manifest.version if manifest else "1"),
            format=model_format,
            capabilities=capabilities_of(manifest) if manifest else UNKNOWN_ABILITIES,
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


def _of_manifest(manifest: Manifest) -> ModelOffer:
    return ModelOffer(
        name=manifest.name,
        version=manifest.version,
        capabilities=capabilities_of(manifest),
        source=manifest.source,
    )
