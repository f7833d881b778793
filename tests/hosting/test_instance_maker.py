"""What placing is told of the instances that settings declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.engine import Surroundings
from linarite.hosting.instance_maker import InstanceMaker
from linarite.hosting.models.store import ModelStore
from linarite.hosting.options import DeploymentSettings, Hosting, InstanceSettings

if TYPE_CHECKING:
    from pathlib import Path


def maker(folder: Path) -> InstanceMaker:
    """Over an empty store."""
    surroundings = Surroundings(scratch=folder, dialer=EgressDialer(EgressPolicy()), threads=2)
    return InstanceMaker(Hosting(slots=4), ModelStore(folder / "models"), surroundings)


def test_an_instance_serves_the_models_that_deployments_name_it_for(tmp_path: Path) -> None:
    """Besides its own; and it counts the slots of the engine that answers."""
    wrapped = {"engine": "llamacpp", "options": {"parallel_requests": 2}}
    (record,) = maker(tmp_path).records(
        {"gpt-4o": InstanceSettings("simulator", "mine", options={"wraps": wrapped})},
        [
            DeploymentSettings("chat", "gpt-4o", instance="gpt-4o"),
            DeploymentSettings("else", "gpt-4.1", instance="other"),
        ],
        "eastus",
    )
    assert (record.model, record.also, record.slots) == ("mine", ("gpt-4o",), 2)
    assert (record.region, record.declared) == ("eastus", True)
