"""Pre-releases of the Azure SDK's client work unchanged but for their endpoint."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.authority import Authority
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

HERE = Path(__file__).parent
PYTHON = HERE.parent.parent.parent / ".venv.preview" / "bin" / "python"
RUN_S = 120


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the client is told to trust."""
    return Authority(tmp_path_factory.mktemp("authority"), "previews")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Server]:
    """A server over TLS with simulated deployments."""
    chain = authority.server_file("127.0.0.1")
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    yield from serving(tmp_path_factory.mktemp("home"), settings + SIMULATED)


@pytest.mark.slow
def test_everything_that_is_here(server: Server, authority: Authority) -> None:
    """Each part does what Azure's does, and refuses as Azure's does."""
    if not PYTHON.exists():
        pytest.skip("the pre-release is not set up: `make test` installs it")
    bare = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    done = subprocess.run(
        [PYTHON, HERE / "control_plane.py"],
        env=bare
        | {
            "ENDPOINT": server.endpoint,
            "KEY": str(server.ready["management_key"]),
            "CA_FILE": str(authority.file),
        },
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("version") == "15.0.0b6"
    assert "GlobalStandard" in told.pop("skus")
    assert told == {
        "deployment": "Succeeded",
        "policies": ["Microsoft.Default", "Microsoft.DefaultV2"],
        "connection": ["ApiKey", None],
        "hosts": ["agents"],
        "hostsAfter": [],
        "isolation": "AllowOnlyApprovedOutbound",
        "rules": ["packages.example"],
        "rulesAfter": 0,
        "enabled": [False, True],
        "agents": ["helper"],
        "agentDeployment": ["Hosted", "Stopped"],
        "stale": [412, "PreconditionFailed"],
        "rego": ["None", "package q"],
        "cost": ["Team", 10.5],
        "bindings": ["Microsoft.Default"],
        "compliance": "Compliant",
        "subscriptionPolicy": "Microsoft.DefaultV2",
        "providers": ["mine"],
        "operation": True,
        "perimeters": 0,
        "tiers": 0,
        "unknown": [404, "ResourceNotFound"],
        "wrong": [400, "InvalidRequestContent"],
    }
