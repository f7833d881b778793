"""The audit log in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.audit import AuditTail
from linarite.storage.audit_row import found_by
from linarite.storage.resource_id import id_key, range_under

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.audit import AuditEntry, AuditQuery, Checkpoint


class MemoryAuditStore:
    """`AuditStore` without a file: gone with the process."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.checkpoints: list[Checkpoint] = []

    async def append(self, entries: Sequence[AuditEntry], checkpoint: Checkpoint | None) -> None:
        """Keep all of it."""
        self.entries += entries
        if checkpoint is not None:
            self.checkpoints.append(checkpoint)

    async def tail(self) -> AuditTail:
        """The end of the log."""
        last = max(self.checkpoints, key=lambda each: each.seq, default=None)
        after = last.seq if last is not None else 0
        return AuditTail(last, [each for each in self.entries if each.seq > after])

    async def read(self, query: AuditQuery) -> list[AuditEntry]:
        """Those that match, in the query's order."""
        ordered = self.entries if query.after_seq is not None else reversed(self.entries)
        found = [each for each in ordered if _matches(each, query)]
        return found[: query.limit]

    async def before(self, at: str) -> AuditEntry | None:
        """The newest entry of all that lie before the first one that is as young as `at`."""
        found = None
        for entry in self.entries:
            if found_by(entry.body)["at"] >= at:
                break
            found = entry
        return found

    async def prune(self, checkpoint: Checkpoint) -> int:
        """Remove all entries up to a checkpoint's; how many there were."""
        kept = [each for each in self.entries if each.seq > checkpoint.seq]
        gone = len(self.entries) - len(kept)
        self.entries = kept
        self.checkpoints = [each for each in self.checkpoints if each.seq >= checkpoint.seq]
        self.checkpoints.append(checkpoint)
        return gone

    async def close(self) -> None:
        """Return: there is no file to let go of."""


def _matches(entry: AuditEntry, query: AuditQuery) -> bool:
    said = found_by(entry.body)
    first, end = range_under(query.under)
    key = said["resource_key"]
    return (
        (not query.since or said["at"] >= query.since)
        and (not query.until or said["at"] <= query.until)
        and query.category in ("", said["category"])
        and said["category"] in query.categories
        and query.principal.lower() in ("", said["principal_key"])
        and (not query.under or key == id_key(query.under) or first <= key < end)
        and query.request_id.lower() in ("", said["request_key"])
        and query.correlation_id.lower() in ("", said["correlation_key"])
        and (not query.before_seq or entry.seq < query.before_seq)
        and entry.seq > (query.after_seq or 0)
    )
