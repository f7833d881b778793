"""What provisioning tells of an instance that does not come up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from linarite.domain.engine import InstanceSpec
from linarite.domain.errors import SetupError
from linarite.hosting.instance import Instance
from linarite.hosting.options import InstanceSettings
from linarite.hosting.provisioner import reason_of

if TYPE_CHECKING:
    from linarite.domain.engine import Engine

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/models/of/ours/small.gguf", None])
async def test_the_folder_of_a_model_is_not_told(path: str | None) -> None:
    """The engine's words are, with the name of its file."""

    async def build(spec: InstanceSpec) -> Engine:
        raise SetupError(f"cannot load {spec.model_path}: {spec.model_path} is cut short")

    spec = InstanceSpec(name="one", engine="scripted", model="m", model_path=path)
    instance = Instance(spec, build, InstanceSettings())
    assert reason_of(instance) == "NotStarted"
    with capture_logs():
        instance.start()
        await instance.settled()
        await instance.stop(0)
    name = "small.gguf" if path else "None"
    assert reason_of(instance) == f"cannot load {name}: {name} is cut short"
