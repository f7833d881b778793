"""The master key: 32 bytes from the settings, or from a file made on first start."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

MASTER_KEY_FILE = "master.key"
MASTER_KEY_BYTES = 32


def master_key(folder: Path, given: bytes | None, *, sealed_before: bool) -> bytes:
    """The key that wraps every account's own.

    `given` comes from the settings and wins; else `<folder>/master.key` is read, or made when
    nothing has been sealed yet. Raises SetupError when it is lost, unreadable or too short.
    """
    if given is not None:
        if len(given) < MASTER_KEY_BYTES:
            raise SetupError(
                f"LINARITE_MASTER_KEY holds {len(given)} bytes; at least {MASTER_KEY_BYTES} random "
                "ones are needed. Make them with: openssl rand -hex 32"
            )
        return given
    path = folder / MASTER_KEY_FILE
    if not path.exists():
        if sealed_before:
            raise SetupError(
                f"{path} is gone, and the keys in this data folder are sealed under it. Put the "
                "file back from a backup, or give its contents as LINARITE_MASTER_KEY. Without "
                "it the sealed keys cannot be read by anyone: to start anew, move the data "
                "folder away."
            )
        _make(path)
    return _read(path)


def _make(path: Path) -> None:
    """Write the file whole or not at all: a half-written key would lock everybody out.

    It is written under another name, flushed, and linked into place, which fails if the name is
    taken; then the folder is flushed too.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, f"{secrets.token_hex(MASTER_KEY_BYTES)}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
    try:
        with suppress(FileExistsError):  # another process was first: its key counts
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> bytes:
    try:
        text = path.read_bytes()
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read ({error.strerror}). It must belong to the user who runs "
            "Linarite."
        ) from error
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) < MASTER_KEY_BYTES:
        raise SetupError(
            f"{path} is not a master key ({2 * MASTER_KEY_BYTES} hexadecimal digits on one line). "
            "Put the right file back from a backup."
        )
    return key
