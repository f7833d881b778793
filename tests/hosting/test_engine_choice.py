"""Which engine a new instance gets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from linarite.hosting.engine_choice import engine_for, weights_bytes
from linarite.hosting.models.catalogue import CATALOGUE, MULTILINGUAL_E5, SMOLLM2
from linarite.hosting.models.manifest import Manifest, ModelCapabilities


def manifest(**given: Any) -> Manifest:  # noqa: ANN401 - any field
    """A model of the store, not of the catalogue."""
    described: dict[str, Any] = {
        "name": "mine",
        "version": "1",
        "file": "mine.gguf",
        "sha256": "00",
        "size_bytes": 1_000,
        "source": "file:mine.gguf",
        "licence": "",
        "added_at": datetime.now(UTC),
        "architecture": "qwen2",
        "quantisation": "Q4_K_M",
    }
    return Manifest(**{**described, **given})


@pytest.mark.parametrize(
    ("given", "engine"),
    [
        ({}, "openvino"),
        ({"quantisation": "Q5_K_S"}, "openvino"),
        ({"quantisation": "IQ2_XS"}, "llamacpp"),
        ({"quantisation": "Q2_K"}, "llamacpp"),
        ({"architecture": "gemma3"}, "llamacpp"),
        ({"capabilities": ModelCapabilities(embeddings=True)}, "llamacpp"),
    ],
)
def test_the_header_decides_for_models_of_ones_own(given: dict[str, Any], engine: str) -> None:
    """Where openvino cannot run it, the widest engine does; another wish is left alone."""
    assert engine_for("openvino", manifest(**given)) == engine
    assert engine_for("llamacpp", manifest(**given)) == "llamacpp"
    assert engine_for("simulator", manifest(**given)) == "simulator"


def test_the_catalogue_decides_for_its_models() -> None:
    """A file that merely has the name of one is judged by its header."""
    for model in CATALOGUE:
        known = manifest(name=model.name, sha256=model.sha256, architecture="any")
        expected = "llamacpp" if model is MULTILINGUAL_E5 else "openvino"
        assert engine_for("openvino", known) == expected
    assert engine_for("openvino", manifest(name=SMOLLM2.name, architecture="any")) == "llamacpp"


def test_openvino_needs_the_weights_more_than_once() -> None:
    """It turns them into its own form."""
    assert weights_bytes("openvino", manifest()) > weights_bytes("llamacpp", manifest()) == 1_000
