"""What commands were refused, on its way into the network log of the server.

One process at a time has the database, and a command may run beside a server or without one. It
leaves its entries in a file, from which the server takes them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.network_log import Entry

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from linarite.domain.network_log import Occurrence

SPOOL_FILE = "refused.jsonl"
BYTES_MAX = 256 * 1024
"""beyond that, entries are left out until a server has taken what there is"""

_decode = msgspec.json.Decoder(Entry).decode


class NetworkSpool:
    """The file in a server's home. A folder that can't be written to keeps nobody from working."""

    def __init__(self, home: Path) -> None:
        self._path = home / SPOOL_FILE

    def add(self, what: Occurrence, reason: str) -> None:
        """Leave an entry there."""
        now = datetime.now(UTC).isoformat()
        entry = Entry(what=what, reason=reason, first_at=now, last_at=now)
        with contextlib.suppress(OSError), self._held(os.O_CREAT | os.O_RDWR) as file:
            if os.lseek(file, 0, os.SEEK_END) < BYTES_MAX:
                os.write(file, msgspec.json.encode(entry) + b"\n")

    def read(self) -> tuple[list[Entry], int]:
        """What is there, and how many bytes that is; nothing where there is no such file."""
        try:
            if not self._path.stat().st_size:
                return [], 0
            with self._held(os.O_RDWR) as file:
                content = os.read(file, 2 * BYTES_MAX)
        except OSError:
            return [], 0
        entries: list[Entry] = []
        for line in content.splitlines():
            with contextlib.suppress(msgspec.DecodeError):  # half written by one that was killed
                entries.append(_decode(line))
        return entries, len(content)

    def drop(self, count: int) -> None:
        """Remove the first bytes, which are in the log by now."""
        with contextlib.suppress(OSError), self._held(os.O_RDWR) as file:
            later = os.pread(file, 2 * BYTES_MAX, count)
            os.ftruncate(file, 0)
            os.pwrite(file, later, 0)

    @contextlib.contextmanager
    def _held(self, flags: int) -> Generator[int]:
        file = os.open(self._path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)
