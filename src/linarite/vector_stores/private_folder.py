"""Where readers of files keep the native code that they unpack: nobody else may write there.

In the folder that all users of a machine share, whoever came first could put code of his own.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def private_folder() -> Path:
    """This user's own, the same each time, or else a new one where that name is another's."""
    folder = Path(tempfile.gettempdir(), f"linarite-readers-{os.geteuid()}")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not _is_ours(folder):
            return Path(tempfile.mkdtemp(prefix=f"{folder.name}-"))
    return folder


def _is_ours(folder: Path) -> bool:
    found = folder.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    )
