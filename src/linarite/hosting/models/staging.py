"""Files and folders of the store: made privately, locked, made durable."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from linarite.hosting.models.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from linarite.hosting.models.progress import Reporter

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
SPARE_BYTES = 64 << 20
_PIECE_BYTES = 4 << 20


def private_folder(path: Path) -> Path:
    """Make the folder, and those above it, unless they exist; only its owner may look inside.

    Raises ModelUnavailable when it can't be made.
    """
    if not path.is_dir():
        private_folder(path.parent)
        try:
            path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        except OSError as problem:
            raise ModelUnavailable(
                f"The folder {path} can't be made ({problem.strerror}). Set LINARITE_HOME to a "
                "folder that belongs to the user who runs Linarite."
            ) from problem
    return path


def empty_folder(path: Path) -> Path:
    """Make the folder, or clear it of what an interrupted run left behind."""
    shutil.rmtree(path, ignore_errors=True)
    return private_folder(path)


@contextmanager
def locked(path: Path, report: Reporter) -> Generator[None]:
    """Hold the lock; other processes and threads wait. It is gone when its holder dies."""
    private_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Waiting")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def require_space(folder: Path, needed_bytes: int, what: str) -> None:
    """Raise ModelUnavailable unless the disk has room for so much, and a little more."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        raise ModelUnavailable(
            f"{what} needs {needed_bytes / 1e6:,.0f} MB of disk space in {folder}, where "
            f"{free / 1e6:,.0f} MB are free. Make room there or set LINARITE_HOME to another disk."
        )


def copy(source: Path, target: Path, report: Reporter) -> None:
    """Copy into `target`, a new file."""
    total = source.stat().st_size
    with source.open("rb") as file, target.open("xb") as out:
        while piece := file.read(_PIECE_BYTES):
            out.write(piece)
            report("Copying", out.tell(), total)


def sha256_of(path: Path, report: Reporter) -> str:
    """Hash a file, reporting how far it is."""
    total = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            report("Checking", file.tell(), total)
    return digest.hexdigest()


def write_durably(path: Path, content: bytes) -> None:
    """Replace the file in one step; it is on disk when the call returns."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with fresh.open("wb") as out:
            fresh.chmod(PRIVATE_FILE)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync(path.parent)


def seal_file(path: Path) -> None:
    """Take everyone else's rights away and bring the content to the disk."""
    path.chmod(PRIVATE_FILE)
    sync(path)


def sync(path: Path) -> None:
    """Bring a file or a folder's list of names to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
