"""A home with real models, downloaded once and kept for later runs of the tests.

A plugin: `pytest_plugins = ["tests.model_home"]` in the outermost conftest.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from linarite.hosting.models.catalogue import MINIMAL_MODELS, QWEN_CODER_SMALL
from linarite.hosting.models.errors import ModelUnavailable
from linarite.hosting.models.store import ModelStore

_HOME = Path(__file__).parent.parent / ".cache" / "models-home"


@pytest.fixture(scope="session")
def model_home() -> Path:
    """A home whose `models` folder holds the minimal set; read-only for tests.

    The store's own locks make it safe for several test runs at a time.
    """
    return _home_with(*MINIMAL_MODELS)


@pytest.fixture(scope="session")
def coder_model_home(model_home: Path) -> Path:
    """The same, with the model that calls tools and fills in code (478 MB to download)."""
    assert model_home == _HOME
    return _home_with(QWEN_CODER_SMALL.name)


def model_file(name: str) -> Path:
    """The verified file of a model of the catalogue. Skips the test where it can't be had."""
    return ModelStore(_home_with(name) / "models").verified_path(name)


def _home_with(*names: str) -> Path:
    _HOME.mkdir(parents=True, exist_ok=True)
    (_HOME / ".gitignore").write_text("*\n")
    store = ModelStore(_HOME / "models")
    for name in names:
        try:
            store.add_from_catalogue(name)
        except ModelUnavailable as unavailable:
            pytest.skip(f"no weights to test with: {unavailable.message}")
    return _HOME
