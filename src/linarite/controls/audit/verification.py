"""Proving a log: nothing removed, changed, moved or cut off. Pure functions over what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from linarite.controls.audit.chain import body_digest, genesis, linked
from linarite.controls.audit.signing import fingerprint, is_signed_by
from linarite.domain.audit import AuditEntry, Checkpoint

PRUNE = "prune"


class Link(msgspec.Struct, frozen=True):
    """What the proof needs of an entry."""

    seq: int
    digest: bytes
    """of its body"""
    hash: bytes
    """as it was kept"""
    fault: str = ""
    """what else is wrong with it, as its reader has found"""

    @classmethod
    def of(cls, entry: AuditEntry) -> Link:
        """An entry's link."""
        return cls(entry.seq, body_digest(entry.body), entry.hash)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A log, or a part of one, as somebody hands it over."""

    public_key: bytes
    links: Iterable[Link]
    """in the order in which they were kept"""
    checkpoints: Sequence[Checkpoint]
    anchors: Sequence[Checkpoint] = ()
    """checkpoints that were kept elsewhere: what they say must be so"""
    starts_after: tuple[int, bytes] | None = None
    """a part begins anywhere: the seq and the hash before its first entry; None: a whole log"""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, and from where on."""

    seq: int
    """the first entry that can't be trusted"""
    reason: str


class Verdict(msgspec.Struct, frozen=True):
    """What could be proved."""

    problem: Problem | None
    fingerprint: str
    """of the key that signs the log"""
    entries: int
    first: int
    last: int
    signed_to: int
    """up to here a checkpoint or an anchor vouches; later entries are only linked"""
    unproved_anchors: tuple[int, ...] = ()
    """anchors that lie before the oldest entry kept"""

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None


def verified(evidence: Evidence, tick: Callable[[int], None] = lambda _: None) -> Verdict:
    """Walk the log once and say what it proves. `tick` is told each seq on the way.

    Entries after the last checkpoint could have been cut off without a trace: an anchor that was
    kept elsewhere proves those up to it.
    """
    walk = _Walk(evidence)
    problem = walk.begin()
    if problem is None:
        for link in evidence.links:
            problem = walk.take(link)
            if problem is not None:
                break
            tick(link.seq)
        else:
            problem = walk.end()
    return Verdict(
        problem=problem,
        fingerprint=fingerprint(evidence.public_key),
        entries=walk.seq - walk.began_after,
        first=walk.began_after + 1,
        last=walk.seq,
        signed_to=walk.signed_to,
        unproved_anchors=walk.unproved,
    )


class _Walk:
    """Where a proof stands: after `seq`, whose hash is `hash`."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._key = evidence.public_key
        self._statements: list[Checkpoint] = []
        """those still ahead, the next one last"""
        self.unproved: tuple[int, ...] = ()
        self.seq = self.began_after = self.signed_to = 0
        self.hash = b""

    def begin(self) -> Problem | None:
        """Find where the log begins; look at every signature."""
        self.seq, self.hash = self._start()
        self.began_after = self.signed_to = self.seq
        stated = [*self._evidence.checkpoints, *self._evidence.anchors]
        for statement in stated:
            if not is_signed_by(statement, self._key):
                return Problem(
                    max(statement.seq, self.seq + 1),
                    f"the checkpoint at {statement.seq} is not signed by {fingerprint(self._key)}",
                )
        self.unproved = tuple(each.seq for each in self._evidence.anchors if each.seq < self.seq)
        ahead = [each for each in stated if each.seq >= self.seq]
        self._statements = sorted(ahead, key=lambda each: each.seq, reverse=True)
        return self._compare()

    def _start(self) -> tuple[int, bytes]:
        if self._evidence.starts_after is not None:
            return self._evidence.starts_after
        pruned = [
            each
            for each in self._evidence.checkpoints
            if each.kind == PRUNE and is_signed_by(each, self._key)
        ]
        if pruned:
            last = max(pruned, key=lambda each: each.seq)
            return last.seq, last.hash
        return 0, genesis(self._key)

    def take(self, link: Link) -> Problem | None:
        """Prove one more entry."""
        expected = self.seq + 1
        if link.seq > expected:
            return Problem(expected, f"entries {expected} to {link.seq - 1} are missing")
        if link.seq < expected:
            return Problem(
                link.seq, f"entry {link.seq} stands where {expected} belongs: moved or doubled"
            )
        if linked(self.hash, link.seq, link.digest) != link.hash:
            return Problem(link.seq, f"entry {link.seq} is not what its hash was made of: changed")
        if link.fault:
            return Problem(link.seq, f"entry {link.seq}: {link.fault}")
        self.seq, self.hash = link.seq, link.hash
        return self._compare()

    def _compare(self) -> Problem | None:
        """Compare with what was signed about this place."""
        while self._statements and self._statements[-1].seq == self.seq:
            statement = self._statements.pop()
            if statement.hash != self.hash:
                first = min(self.signed_to + 1, self.seq)
                return Problem(
                    first,
                    f"what was signed at {self.seq} is another log: between {first} and "
                    f"{self.seq} entries were changed and linked anew",
                )
            self.signed_to = self.seq
        return None

    def end(self) -> Problem | None:
        """What was signed further on is missing."""
        if self._statements:
            last = self._statements[0].seq
            return Problem(
                self.seq + 1,
                f"entries {self.seq + 1} to {last} are missing at the end: a checkpoint was signed "
                f"at {last}",
            )
        return None
