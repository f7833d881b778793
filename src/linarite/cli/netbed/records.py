"""What is kept about beds while they exist: enough to find them, and to remove stale ones."""

from __future__ import annotations

from pathlib import Path

import msgspec

RECORDS = Path("/run/linarite-netbed")
"""emptied by a restart of the machine, as namespaces are"""


class BedRecord(msgspec.Struct, frozen=True):
    """A bed and its owner."""

    name: str
    """unique on this machine"""
    pid: int
    """of the process that removes it when it ends"""
    started: int
    """when that process started, in clock ticks: ids of processes are used again"""
    hosts: tuple[str, ...]
    home: str = ""
    """the folder of a demo's data; "" for hosts alone"""

    @property
    def owner_lives(self) -> bool:
        """Whether the process that owns it still runs."""
        return start_of(self.pid) == self.started


def keep(record: BedRecord) -> None:
    """Write a bed's record before any of it is made."""
    RECORDS.mkdir(mode=0o700, parents=True, exist_ok=True)
    unready = RECORDS / f".{record.name}"
    unready.write_bytes(msgspec.json.encode(record))
    unready.replace(RECORDS / f"{record.name}.json")


def forget(record: BedRecord) -> None:
    """Remove a bed's record."""
    (RECORDS / f"{record.name}.json").unlink(missing_ok=True)


def kept() -> list[BedRecord]:
    """All beds on this machine, the oldest first."""
    found: list[tuple[float, BedRecord]] = []
    for file in RECORDS.glob("*.json"):
        try:
            written = file.stat().st_mtime
            found.append((written, msgspec.json.decode(file.read_bytes(), type=BedRecord)))
        except FileNotFoundError:  # removed meanwhile
            continue
    return [record for _, record in sorted(found, key=lambda pair: pair[0])]


def stale() -> list[BedRecord]:
    """Beds whose owners are gone."""
    return [record for record in kept() if not record.owner_lives]


def start_of(pid: int) -> int:
    """When a process started, in clock ticks since the machine did; -1 where none runs."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return -1
    # The second field is the program's name in parentheses, and may hold any character.
    fields = text.rpartition(")")[2].split()
    return -1 if fields[0] in "ZX" else int(fields[19])  # ended, and nobody has asked how
