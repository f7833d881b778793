"""A real model is provisioned in an engine process of its own; its failures are told in words."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from structlog.testing import capture_logs

from linarite.domain.placement import PLACEMENT_TYPE, placement_of
from linarite.setting_tree import Settings
from linarite.storage.memory.jobs import MemoryJobStore
from linarite.storage.memory.resources import MemoryResourceStore
from tests.faults.processes import children_of
from tests.jobs.kinds.provisioning.site import site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager

    from tests.jobs.kinds.provisioning.site import Site

pytestmark = [pytest.mark.anyio, pytest.mark.real_model]

MODEL = "smollm2-135m-instruct"
OPTIONS = {"context_tokens": 512, "wait_policy": "passive"}


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder whose path leaves room for the names of sockets, whatever runs the tests."""
    with tempfile.TemporaryDirectory(prefix="site-") as folder:
        yield Path(folder)


def real_site(
    folder: Path,
    model_home: Path,
    **hosting: Any,  # noqa: ANN401 - TOML
) -> AbstractAsyncContextManager[Site]:
    """A site whose new instances run llama.cpp."""
    jobs = MemoryJobStore()
    given = {"hosting": {"options": OPTIONS, "slots": 2} | hosting}
    settings = msgspec.convert(given, Settings)
    models = model_home / "models"
    return site(folder, MemoryResourceStore(jobs), jobs, settings, models=models)


async def test_a_real_model_is_calibrated(tmp_path: Path, model_home: Path) -> None:
    """Prompts are read faster than answers are made, and no cache pretends more."""
    with capture_logs():
        async with real_site(tmp_path, model_home) as running:
            await running.deployed("chat", MODEL)
            found = await running.best_calibrated(4, lambda one: one.output_weight > 1)
            assert 1 < found.output_weight < 100
            assert [each.parallel_requests for each in found.batches] == [1, 2]
            assert all(each.tokens_per_second > 1 for each in found.batches)


async def test_a_real_model_is_measured(tmp_path: Path, model_home: Path) -> None:
    """It ends with as many tokens per second as this hardware does."""
    with capture_logs():
        async with real_site(tmp_path, model_home) as running:
            ended = await running.deployed("chat", MODEL)
            assert ended.status == "Succeeded", ended.error
            assert ended.found["verify"]["size"] > 50_000_000
            (kept,) = await running.resources.list_under("", PLACEMENT_TYPE)
            measured = placement_of(kept).measured
            assert measured is not None
            assert measured.parallel_requests == 2
            assert measured.tokens_per_second > 1
            assert measured.first_token_ms > 0
            assert len(children_of(os.getpid())) >= 1


async def test_the_wish_for_an_engine_is_kept_where_it_can_be(
    tmp_path: Path, model_home: Path
) -> None:
    """It runs what it can run, and llamacpp the rest, without the other's options."""
    with capture_logs():
        async with real_site(
            tmp_path, model_home, engine="openvino", options={"prompt_cache": False}, slots=2
        ) as running:
            for name, model in (("chat", MODEL), ("vectors", "multilingual-e5-small")):
                ended = await running.deployed(name, model)
                assert ended.status == "Succeeded", ended.error
            commands = " ".join(children_of(os.getpid()).values())
            assert f"linarite.engines.openvino.worker {MODEL}" in commands
            assert "linarite.engines.llamacpp.worker multilingual-e5-small" in commands


async def test_too_little_memory_is_told_in_numbers(tmp_path: Path, model_home: Path) -> None:
    """How much it needs, how much is free; no process is started."""
    with capture_logs():
        async with real_site(tmp_path, model_home, memory_mib=300) as running:
            ended = await running.deployed("chat", MODEL)
    assert ended.error is not None
    assert ended.error.code == "InsufficientResources"
    assert "300 MiB" in ended.error.message
    assert f"{MODEL} needs about" in ended.error.message


async def test_an_engine_that_dies_while_it_loads_is_told(tmp_path: Path, model_home: Path) -> None:
    """Killed in the middle of loading: the operation says how it ended."""
    with capture_logs():
        async with real_site(tmp_path, model_home) as running:
            known = set(children_of(os.getpid()))
            job = await running.deploy("chat", MODEL)
            while not (new := set(children_of(os.getpid())) - known):
                loading = await running.jobs.get(job.id)
                assert loading is not None
                assert loading.error is None
                await asyncio.sleep(0.01)
            os.kill(new.pop(), signal.SIGKILL)
            await running.worker.idle()
            ended = await running.jobs.get(job.id)
            assert ended is not None
            assert ended.error is not None
            assert ended.error.code == "DeploymentFailed"
            assert "SIGKILL" in ended.error.message


async def test_an_option_the_engine_does_not_know_is_told(tmp_path: Path, model_home: Path) -> None:
    """In the engine's own words."""
    with capture_logs():
        async with real_site(tmp_path, model_home, options={"contex_tokens": 1}) as running:
            ended = await running.deployed("chat", MODEL)
    assert ended.error is not None
    assert "contex_tokens" in ended.error.message
