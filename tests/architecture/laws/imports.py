"""The import contracts of `pyproject.toml`, checked by import-linter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RUN = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def imports_keep_the_contracts(root: Path) -> list[str]:
    """No contract is broken; what import-linter says about those that are, by contract."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--config", "pyproject.toml", "--no-cache", "--no-logo"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return []
    broken = re.findall(r"^(.*) BROKEN\b", done.stdout, re.MULTILINE)
    if not broken:
        return [f"import-linter could not check: {done.stdout}{done.stderr}"]
    _, _, explained = done.stdout.partition("Broken contracts")
    return [f"{contract} is broken:\n{explained}" for contract in broken]
