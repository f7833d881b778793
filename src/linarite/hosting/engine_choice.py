"""Which engine a new instance gets, and what a model takes of memory there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.hosting.models.catalogue import find

if TYPE_CHECKING:
    from linarite.hosting.models.manifest import Manifest

_WIDEST = "llamacpp"
"""runs every model of the store"""
_OPENVINO_ARCHITECTURES = frozenset({"llama", "qwen2", "qwen3"})
_OPENVINO_FORMATS = ("F16", "BF16", "Q4_0", "Q4_1", "Q4_K", "Q5_0", "Q5_1", "Q5_K", "Q6_K", "Q8_0")
_OPENVINO_COPIES = 3
"""how often the weights are in memory while it turns them into its own form"""


def engine_for(wanted: str, manifest: Manifest) -> str:
    """The engine that was asked for, or the widest one where that cannot run the model.

    What the catalogue says of a model decides; of others, what their header says.
    """
    return wanted if wanted != "openvino" or _runs_on_openvino(manifest) else _WIDEST


def weights_bytes(engine: str, manifest: Manifest) -> int:
    """What the weights are taken to need in memory."""
    return manifest.size_bytes * (_OPENVINO_COPIES if engine == "openvino" else 1)


def _runs_on_openvino(manifest: Manifest) -> bool:
    listed = find(manifest.name)
    if listed is not None and listed.sha256 == manifest.sha256:
        return "openvino" in listed.engines
    return (
        manifest.architecture in _OPENVINO_ARCHITECTURES
        and manifest.quantisation.startswith(_OPENVINO_FORMATS)
        and not manifest.capabilities.embeddings
    )
