"""What is compared with a bare engine runs with the bare engine's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import batches, embeddings, engine_tax
from linarite.hosting.models.catalogue import MULTILINGUAL_E5, SMOLLM2
from linarite.serving_plan import plan
from linarite.settings import load

if TYPE_CHECKING:
    from pathlib import Path

CHATS = {"model": SMOLLM2.name, "slots": engine_tax.SLOTS, "context": engine_tax.CONTEXT}
CONFIGS = {
    "llamacpp": engine_tax.CONFIG.format(engine="llamacpp", **CHATS),
    "openvino": engine_tax.CONFIG.format(engine="openvino", **CHATS),
    "batches": batches.CONFIG.format(**CHATS),
    "embeddings": embeddings.CONFIG,
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_deployment_runs_on_the_instance_with_the_bare_engines_slots(
    tmp_path: Path, config: str
) -> None:
    """There is one instance, and no second of the same model beside it that would be measured."""
    file = tmp_path / "bench.toml"
    file.write_text(config)
    versions = {SMOLLM2.name: ["1"], MULTILINGUAL_E5.name: ["1"]}
    planned = plan(load(file).settings, (), versions)
    (deployment,) = planned.deployments
    assert list(planned.instances) == [deployment.instance]
    options = planned.instances[deployment.instance].options
    assert options["parallel_requests"] == engine_tax.SLOTS
