"""Runs a converter in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from linarite.hosting.models.errors import ModelFileInvalid

if TYPE_CHECKING:
    from pathlib import Path

_TIME_MAX_S = 600


def convert_e5(source: Path, target: Path) -> None:
    """Turn the packed E5 file into GGUF. Raises ModelFileInvalid with the converter's reason.

    The child limits its own memory, time and output; it gets no environment but the import path.
    """
    module = "linarite.hosting.models.e5_to_gguf"
    import_path = os.pathsep.join(filter(None, sys.path))
    try:
        result = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", module, source, target],
            env={"PYTHONPATH": import_path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIME_MAX_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelFileInvalid(source.name, f"converting took over {_TIME_MAX_S} s") from error
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
        raise ModelFileInvalid(source.name, f"it cannot be converted: {lines[-1]}")
