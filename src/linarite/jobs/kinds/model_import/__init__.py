"""Models that are listed with a source: brought into the store, and taken out with their entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.jobs import IMPORT_MODEL, REMOVE_MODEL
from linarite.jobs.kinds.model_import.kind import ModelImport, ModelRemoval

if TYPE_CHECKING:
    from linarite.domain.model_fetcher import ModelFetcher
    from linarite.domain.resource import ResourceStore
    from linarite.jobs.kind import Kind


def model_kinds(resources: ResourceStore, fetcher: ModelFetcher) -> dict[str, Kind]:
    """The kinds by name."""
    return {
        IMPORT_MODEL: ModelImport(resources, fetcher),
        REMOVE_MODEL: ModelRemoval(fetcher),
    }
