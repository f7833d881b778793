"""One process per data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import SetupError
from linarite.storage.lock import FolderLock

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, pathlib
from linarite.storage.lock import FolderLock
lock = FolderLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def hold_elsewhere(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds the folder until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    """The message names the other's process id and the way out; its end, by kill, frees it."""
    with hold_elsewhere(tmp_path) as holder:
        with pytest.raises(SetupError) as told:
            FolderLock(tmp_path)
        assert f"process id {holder.pid}" in told.value.message
        assert "LINARITE_HOME" in told.value.message
        holder.kill()
    FolderLock(tmp_path).release()


def test_a_second_server_in_the_same_process_is_refused(tmp_path: Path) -> None:
    """The lock belongs to who took it, not to the process."""
    lock = FolderLock(tmp_path)
    with pytest.raises(SetupError, match=f"process id {os.getpid()}"):
        FolderLock(tmp_path)
    lock.release()
    lock.release()
    FolderLock(tmp_path).release()


def test_a_program_we_start_does_not_keep_the_lock(tmp_path: Path) -> None:
    """An engine that outlives its server leaves the folder free for the next one."""
    lock = FolderLock(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        close_fds=False,
    ) as child:
        lock.release()
        FolderLock(tmp_path).release()
        child.kill()


def test_a_file_left_behind_stops_nobody(tmp_path: Path) -> None:
    """What the file says does not count; the kernel's lock does."""
    (tmp_path / "lock").write_text("1\n" * 100)
    lock = FolderLock(tmp_path)
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    lock.release()
