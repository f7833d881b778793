"""One server per data folder: an advisory lock that the kernel drops when the process ends."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path


class FolderLock:
    """Holds `<folder>/lock` until `release`, or until the process ends however it ends.

    The file stays and names its holder's process id, for people; the lock itself is the kernel's,
    so a file left behind by a killed process stops nobody. Raises SetupError while another
    process holds it.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock, or say who has it."""
        path = folder / "lock"
        # Not inherited by programs we start: an engine that outlives us must not keep the lock.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise SetupError(
                f"Another Linarite server (process id {holder}) uses the data folder {folder}. "
                "Stop that server, or give this one a folder of its own with LINARITE_HOME."
            ) from None
        except OSError as error:
            os.close(self._file)
            raise SetupError(
                f"The file {path} cannot be locked ({error.strerror}). Put LINARITE_HOME on a "
                "local disk: some network file systems have no locks."
            ) from error
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode("ascii"))

    def release(self) -> None:
        """Let another process have the folder. Calling it again does nothing."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            # Unlocked by name: closing alone leaves it to a program that is just being started.
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = -1
