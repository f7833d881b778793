"""Calibrating for real: the load runs on simulated instances whose pace is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from structlog.testing import capture_logs

from linarite.domain.calibration import (
    CALIBRATION_TYPE,
    Calibration,
    calibration_of,
    tokens_per_minute_per_ptu,
)
from linarite.domain.placement import INSTANCE_TYPE, instance_of, placement_id, placement_of
from linarite.hosting.calibrator import steps_to
from linarite.setting_tree import Settings
from linarite.storage.memory.jobs import MemoryJobStore
from linarite.storage.memory.resources import MemoryResourceStore
from tests.jobs.kinds.provisioning.site import site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from linarite.domain.placement import Measured
    from tests.jobs.kinds.provisioning.site import Site

pytestmark = pytest.mark.anyio

PACE = {"seed": 1, "time_to_first_token_ms": 40, "tokens_per_second": 100}
PTU = "GlobalProvisionedManaged"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No log lines among the dots."""
    with capture_logs():
        yield


class Machine:
    """Stores that outlive servers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs = MemoryJobStore()
        self.resources = MemoryResourceStore(self._jobs)

    def site(self, **settings: Any) -> AbstractAsyncContextManager[Site]:  # noqa: ANN401 - TOML
        """A server over simulated instances of four places."""
        given = {"hosting": {"engine": "simulator", "options": PACE}} | settings
        return site(
            self._folder, self.resources, self._jobs, msgspec.convert(given, Settings, strict=False)
        )

    async def measured(self, name: str = "chat") -> Measured:
        """What a deployment's placement keeps."""
        kept = await self.resources.get(placement_id(deployment(name)))
        assert kept is not None
        found = placement_of(kept).measured
        assert found is not None
        return found

    async def calibration(self) -> Calibration:
        """The only one."""
        (kept,) = await self.resources.list_under("", CALIBRATION_TYPE)
        return calibration_of(kept)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Empty stores."""
    return Machine(tmp_path)


def deployment(name: str) -> str:
    """The id of a site's deployment."""
    return (
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
        f"/deployments/{name}"
    )


def test_how_many_at_a_time() -> None:
    """One, about half, all; no number twice."""
    assert [steps_to(each) for each in (1, 2, 3, 8)] == [[1], [1, 2], [1, 3], [1, 4, 8]]


def at_the_simulators_pace(found: Calibration) -> bool:
    """A hundred tokens a second, but for the first; four requests have four times as many."""
    one, _, four = (each.tokens_per_second for each in found.batches)
    return 60 < one < 105 and 3 < four / one < 4.5


async def test_what_the_engine_does_is_found_out_and_kept(machine: Machine) -> None:
    """Answers at the simulator's pace, one and four at a time; prompts as fast as they come."""
    async with machine.site() as running:
        await running.deployed()
        found = await running.best_calibrated(3, at_the_simulators_pace)
        assert (found.model, found.version, found.engine) == ("gpt-4o", "1", "simulator")
        assert "CPU" in found.hardware
        assert [each.parallel_requests for each in found.batches] == [1, 2, 4]
        assert at_the_simulators_pace(found)
        assert found.prompt_tokens_per_second > 4 * 384 / 0.5
        weight = found.prompt_tokens_per_second / found.tokens_per_second
        assert found.output_weight == pytest.approx(weight, abs=0.01)
        measured = await machine.measured()
        assert measured == found.measured(measured)
        (kept,) = await machine.resources.list_under("", INSTANCE_TYPE)
        assert instance_of(kept).measured == found.measured()


async def test_units_mean_it_from_then_on(machine: Machine) -> None:
    """For deployments that are there and for later ones, after a restart too."""
    async with machine.site() as running:
        await running.deployed("reserved", name=PTU, capacity=10)
        before = running.facts.for_account("a").deployment("reserved")
        assert before is not None
        assert before.limits is not None
        assert (before.limits.tokens, before.limits.output_weight) == (600, 1.0)
        await running.calibrated("reserved")
        found = await machine.calibration()
        after = running.facts.for_account("a").deployment("reserved")
        assert after is not None
        assert after.limits is not None
        assert after.limits.output_weight == found.output_weight
        a_unit = tokens_per_minute_per_ptu(found.output_weight, 1.0)
        assert after.limits.tokens == pytest.approx(10 * a_unit, abs=10)
    async with machine.site() as restarted:
        later = await restarted.deployed("later", name=PTU, capacity=5)
        assert later.error is None
        assert (await machine.measured("later")).output_weight == found.output_weight
        refused = await restarted.deployed("too-much", name=PTU, capacity=100_000)
        assert refused.error is not None
        assert f"{found.tokens_per_second:.0f}" in refused.error.message


async def test_an_engine_that_only_forwards_is_not_measured(machine: Machine) -> None:
    """Its speed is not of this machine."""
    elsewhere = {"gpt-4o": {"engine": "upstream", "options": {"base_url": "http://127.0.0.1:9/v1"}}}
    async with machine.site(instances=elsewhere) as running:
        await running.deployed()
        job = await running.calibrated()
        assert job.error is not None
        assert job.error.code == "CalibrationNotSupported"
        assert not await machine.resources.list_under("", CALIBRATION_TYPE)
