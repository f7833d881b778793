"""Where readers of files keep their native code, once for all tests of a process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def reader_folder() -> Path:
    """A folder of this process's own, gone when it ends."""
    folder = tempfile.mkdtemp(prefix="linarite-readers-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
