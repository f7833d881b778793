"""What a server is to serve and on what of this machine, resolved from its settings."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from linarite.hosting.options import DeploymentSettings, InstanceSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.setting_tree import Settings

SCRATCH_PATH_MAX = 48
"""characters; leaves room for the names of instances"""


class Plan(msgspec.Struct, frozen=True):
    """What to serve, and what to run for it."""

    deployments: list[DeploymentSettings]
    """each with its instance resolved"""
    instances: dict[str, InstanceSettings]


def plan(
    settings: Settings,
    default_models: Sequence[str],
    versions: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """Resolve settings: defaults filled in, every deployment with an instance.

    `default_models` are those of the store, served when settings declare no deployment.
    `versions` are those that the store has of its models, each model's default one first.
    """
    there = versions or {}
    declared = settings.deployments or [
        DeploymentSettings(name=model, model=model, model_version=there.get(model, ["1"])[0])
        for model in default_models
    ]
    instances = dict(settings.instances)
    deployments: list[DeploymentSettings] = []
    for deployment in declared:
        name = deployment.instance or deployment.model
        # A version that the store does not have is but a label.
        labels = there.get(deployment.model.lower(), ())
        version = deployment.model_version if deployment.model_version in labels else ""
        wanted = InstanceSettings(model=deployment.model, model_version=version)
        if not deployment.instance and instances.get(name, wanted).model_version != version:
            name = f"{name}-{version}"
        instances.setdefault(name, wanted)
        deployments.append(msgspec.structs.replace(deployment, instance=name))
    return Plan(deployments=deployments, instances=instances)


def scratch_folder(home: Path) -> Path:
    """A private empty folder for sockets, whose paths may have only about a hundred characters.

    In the home where that is short enough: what a killed server left there is swept away, which
    is safe because the home is locked by now.
    """
    folder = home / "run"
    if len(str(folder)) > SCRATCH_PATH_MAX:
        return Path(tempfile.mkdtemp(prefix="linarite-"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def usable_cores() -> int:
    """The processor cores this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_for_engines(cores: int) -> int:
    """How many threads engines share: one core is the gateway's, where there are three or more.

    On two cores a thread less would cost engines half their speed; there the engine processes'
    lower priority keeps the gateway's share.
    """
    return cores if cores <= 2 else cores - 1  # noqa: PLR2004 - explained above
