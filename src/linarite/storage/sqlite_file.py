"""A SQLite file is made, checked and brought up to date before anything else opens it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError
from linarite.storage.migrate import migrate

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.storage.migrate import History

CHECKED_BYTES_MAX = 8 * 1024 * 1024
"""Larger files are not read through at start: this much takes some 30 ms, and starting is quick."""


def private_folder(folder: Path) -> None:
    """Make the folder if need be; only its owner may look inside. Raises SetupError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise SetupError(
            f"The data folder {folder} cannot be made or taken ({error.strerror}). Set "
            "LINARITE_HOME to a folder that belongs to the user who runs Linarite."
        ) from error


def prepare(path: Path, history: History) -> None:
    """Create the file if there is none, check it, migrate it.

    Afterwards it is in WAL mode (which the file remembers) and at `history.head`. Raises
    SetupError when it is damaged, foreign, too new, or cannot be written.
    """
    try:
        _create_private(path)
        # isolation_level None: we say BEGIN ourselves.
        with closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise SetupError(
                    f"{path} cannot be used safely on this file system (no shared memory). Put "
                    "LINARITE_HOME on a local disk."
                )
            _check(path, connection)
            migrate(path, connection, history)
    except (sqlite3.Error, OSError) as error:
        raise setup_error(path, error) from error


def setup_error(path: Path, error: sqlite3.Error | OSError) -> SetupError:
    """What went wrong with a file, and what a person can do about it."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return _damaged(path, str(error))
    if name.startswith("SQLITE_BUSY"):
        return SetupError(
            f"{path} is locked by another program. Close what has it open (a database browser, a "
            "backup) and start again."
        )
    if name.startswith("SQLITE_FULL"):
        return SetupError(f"{path} cannot grow: the disk is full. Free some space.")
    return SetupError(
        f"{path} cannot be opened for writing ({error}). It and its folder must belong to the "
        "user who runs Linarite."
    )


def _create_private(path: Path) -> None:
    """SQLite gives its side files the mode of the main one, so that must be right first."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _check(path: Path, connection: sqlite3.Connection) -> None:
    if path.stat().st_size > CHECKED_BYTES_MAX:
        return
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _damaged(path, str(verdict))


def _damaged(path: Path, detail: str) -> SetupError:
    return SetupError(
        f"{path} is damaged ({detail}). Restore it from a backup, together with the files "
        f"'{path.name}-wal' and '{path.name}-shm' if the backup has them. To go on without its "
        f"contents, move all three away and start again; `sqlite3 {path} .recover` may save some."
    )
