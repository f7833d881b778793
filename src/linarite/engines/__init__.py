"""The engines: one folder each, found by name in `ENGINES`.

A factory imports its engine's library only when it is called, so an installation without an
extra starts, and says what to install when that engine is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.domain.engine import Engine, InstanceSpec, Surroundings

ENGINES: dict[str, str] = {
    "llamacpp": "linarite.engines.llamacpp.engine:LlamacppEngine",
    "openvino": "linarite.engines.openvino.engine:OpenvinoEngine",
    "simulator": "linarite.engines.simulator.engine:SimulatorEngine",
    "upstream": "linarite.engines.upstream.engine:UpstreamEngine",
}
"""engine name → module:class; the class takes (InstanceSpec, Surroundings)"""


def build_engine(spec: InstanceSpec, surroundings: Surroundings) -> Engine:
    """Make the engine an instance asks for. Raises SetupError for an unknown or broken one."""
    module_name, class_name = _target(spec)
    engine: Engine = getattr(import_module(module_name), class_name)(spec, surroundings)
    return engine


def check_options(spec: InstanceSpec) -> None:
    """Refuse options that the engine would refuse, before it is made and without its library.

    Raises SetupError that names the key and says what would be right. Every engine's folder has an
    `options.py` with a `read_options`.
    """
    folder = _target(spec)[0].rpartition(".")[0]
    import_module(f"{folder}.options").read_options(spec)


def _target(spec: InstanceSpec) -> tuple[str, str]:
    """Module and class of an engine."""
    target = ENGINES.get(spec.engine)
    if target is None:
        known = ", ".join(sorted(ENGINES))
        raise SetupError(
            f"instances.{spec.name}.engine is '{spec.engine}', which does not exist. "
            f"Choose one of: {known}."
        )
    module_name, class_name = target.split(":")
    return module_name, class_name
