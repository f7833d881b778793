"""Which models a deployment may name: those of settings, those of the store, or any."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.model_lifecycle import Lifecycle, order_of
from linarite.domain.model_offer import UNKNOWN_ABILITIES, Assortment, ModelOffer
from linarite.hosting.models.intake import of_version
from linarite.hosting.options import MODEL_FILE_ENGINES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from linarite.domain.listed_model import ListedModel
    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.options import DeploymentSettings, Hosting, InstanceSettings


BY_SETTINGS = Lifecycle(default_since=datetime.min.replace(tzinfo=UTC))
"""what settings name is a default version until another is made one"""


class DeployableModels:
    """`ModelOffers` over settings, the model store and the control plane's catalogue."""

    def __init__(
        self,
        deployments: Sequence[DeploymentSettings],
        instances: Mapping[str, InstanceSettings],
        manifests: Callable[[], Iterable[Manifest]],
        hosting: Hosting,
        *,
        listed: Callable[[], Iterable[ListedModel]] = tuple,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`deployments` have their instances resolved; `listed` are those of the control plane."""
        self._deployments = deployments
        self._instances = instances
        self._manifests = manifests
        self._hosting = hosting
        self._listed = listed
        self._clock = clock

    def now(self) -> Assortment:
        """What settings name comes first; what the catalogue says of a version holds."""
        known = list(self._manifests())
        used = {deployment.instance for deployment in self._deployments}
        offers = [
            self._offer(each.instance, each.model, each.model_version, each.model_format, known)
            for each in self._deployments
        ]
        offers += [
            self._offer(name, each.model or name, each.model_version, "OpenAI", known)
            for name, each in self._instances.items()
            if name not in used
        ]
        if self._hosting.engine not in {"simulator", "upstream"}:
            offers += [_of_manifest(manifest) for manifest in known]
        return Assortment(
            offers=with_default_versions(self._with_listed(offers), self._clock()),
            any_model=self._hosting.engine == "simulator",
        )

    def _with_listed(self, offers: list[ModelOffer]) -> list[ModelOffer]:
        """Also what is listed; a version whose file is not here can't be run by such an engine."""
        listed = {_key(each.name, each.format, each.version): each for each in self._listed()}
        told = [
            msgspec.structs.replace(offer, lifecycle=listed[key].lifecycle)
            if (key := _key(offer.name, offer.format, offer.version)) in listed
            else offer
            for offer in offers
        ]
        without_file = {offer.name.lower() for offer in offers if not offer.source}
        any_engine = self._hosting.engine not in MODEL_FILE_ENGINES
        return told + [
            _of_listed(each)
            for each in listed.values()
            if any_engine or each.name.lower() in without_file
        ]

    def _offer(
        self,
        instance: str,
        model: str,
        version: str,
        model_format: str,
        known: Sequence[Manifest],
    ) -> ModelOffer:
        said = self._instances[instance]
        manifest = of_version(known, said.model or instance, said.model_version)
        return ModelOffer(
            name=model,
            version=version or (manifest.version if manifest else "1"),
            format=model_format,
            capabilities=capabilities_of(manifest) if manifest else UNKNOWN_ABILITIES,
            source=manifest.source if manifest else "",
            lifecycle=manifest.lifecycle if manifest else BY_SETTINGS,
        )


def with_default_versions(offers: Iterable[ModelOffer], now: datetime) -> list[ModelOffer]:
    """Each model and version once, one version of each model marked as the default.

    The one that was made so last, else the newest; one that is retired only where all are.
    """
    once: dict[tuple[str, str, str], ModelOffer] = {}
    for offer in offers:
        once.setdefault(_key(offer.name, offer.format, offer.version), offer)
    everything = Assortment(list(once.values()))
    chosen = {
        (name, model_format): everything.default_at(now, model_format=model_format, name=name)
        for name, model_format, _ in once
    }
    return [
        msgspec.structs.replace(once[key], is_default_version=once[key] is chosen[key[:2]])
        for key in sorted(once, key=lambda key: (*key[:2], order_of(key[2])))
    ]


def _key(name: str, model_format: str, version: str) -> tuple[str, str, str]:
    return name.lower(), model_format.lower(), version.lower()


def _of_listed(listed: ListedModel) -> ModelOffer:
    return ModelOffer(
        name=listed.name,
        version=listed.version,
        format=listed.format,
        capabilities=listed.capabilities or UNKNOWN_ABILITIES,
        lifecycle=listed.lifecycle,
    )


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
        lifecycle=manifest.lifecycle,
    )
