"""Proving an export by itself: the chain, its signatures, and that the records are its events."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING

import msgspec

from linarite.cli.audit.anchors import read_anchors
from linarite.cli.audit.proof_files import (
    CHAIN_FILE,
    CHECKPOINTS_FILE,
    DIAGNOSTIC,
    PROOF_FOLDER,
    ChainLine,
    read_manifest,
)
from linarite.controls.audit.chain import body_digest, event_of
from linarite.controls.audit.diagnostic import path_of, record_line
from linarite.controls.audit.verification import Evidence, Link, Problem, Verdict, verified
from linarite.domain.audit import AuditEntry
from linarite.domain.diagnostic_path import container_of
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from linarite.cli.audit.anchors import Anchor

SUM_BYTES = 32

_line = msgspec.json.Decoder(ChainLine).decode


class ExportedLog:
    """An export that is read once, from its first entry to its last."""

    def __init__(self, folder: Path) -> None:
        """Raises SetupError when it is none."""
        self._folder = folder
        self.manifest = read_manifest(folder)
        self.public_key = bytes.fromhex(self.manifest.public_key)
        self._sums: dict[str, Sum] = {}

    def proved(self, anchors: Sequence[Anchor], tick: Callable[[int, int], None]) -> Verdict:
        """What the export proves."""
        told = self._folder / PROOF_FOLDER / CHECKPOINTS_FILE
        statements = read_anchors(str(told)) if told.stat().st_size else []
        manifest = self.manifest
        verdict = verified(
            Evidence(
                public_key=self.public_key,
                links=self._links(),
                checkpoints=[each.checkpoint for each in statements],
                anchors=[each.checkpoint for each in anchors],
                starts_after=(manifest.after, bytes.fromhex(manifest.after_hash))
                if manifest.after
                else None,
            ),
            lambda seq: tick(seq, manifest.last),
        )
        if verdict.problem is None and manifest.format == DIAGNOSTIC:
            return msgspec.structs.replace(verdict, problem=self._records_problem())
        return verdict

    def _links(self) -> Iterator[Link]:
        shown = range(self.manifest.first, self.manifest.last + 1)
        for line in self._lines():
            try:
                yield self._link(line, is_shown=line.seq in shown)
            except (ValueError, msgspec.MsgspecError) as problem:
                yield Link(line.seq, b"", b"", f"its line is damaged ({problem})")

    def _link(self, line: ChainLine, *, is_shown: bool) -> Link:
        body = bytes(line.event)
        chain_hash = bytes.fromhex(line.hash)
        if not body:
            fault = "its event was taken out of the export" if is_shown else ""
            return Link(line.seq, bytes.fromhex(line.digest), chain_hash, fault)
        if self.manifest.format == DIAGNOSTIC:
            record = record_line(AuditEntry(line.seq, body, chain_hash), self.manifest.tenant)
            self._sums.setdefault(path_of(event_of(body)), Sum()).add(line.seq, record)
        return Link(line.seq, body_digest(body), chain_hash)

    def _lines(self) -> Iterator[ChainLine]:
        path = self._folder / PROOF_FOLDER / CHAIN_FILE
        last = self.manifest.after
        try:
            with path.open("rb") as file:
                for text in file:
                    line = _line(text)
                    last = line.seq
                    yield line
        except (OSError, msgspec.MsgspecError) as problem:
            raise SetupError(f"{path} can't be read after entry {last}: {problem}.") from None

    def _records_problem(self) -> Problem | None:
        """The first record that is not its event's, or a file that should not be there."""
        problems = [
            Problem(found, f"the record of entry {found} in {path} is missing or changed")
            for path, expected in self._sums.items()
            if (found := expected.first_difference(self._folder / path))
        ]
        known = {self._folder / path for path in self._sums}
        problems += [
            Problem(self.manifest.first, f"{path} is no part of this log")
            for path in sorted((self._folder / container_of("Audit")).rglob("*"))
            if path.is_file() and path not in known
        ]
        return min(problems, key=lambda each: each.seq, default=None)


class Sum:
    """What a file of records must be: a sum of each line, so that the first wrong one is known."""

    def __init__(self) -> None:
        self._seqs = array("Q")
        self._sums = bytearray()

    def add(self, seq: int, record: bytes) -> None:
        """The next line."""
        self._seqs.append(seq)
        self._sums += hashlib.sha256(record).digest()

    def first_difference(self, path: Path) -> int:
        """The entry whose line is not what it must be; 0 when all are."""
        try:
            lines = path.open("rb")
        except OSError:
            return self._seqs[0]
        with lines:
            for place, seq in enumerate(self._seqs):
                expected = bytes(self._sums[place * SUM_BYTES : (place + 1) * SUM_BYTES])
                if hashlib.sha256(lines.readline()).digest() != expected:
                    return seq
            return self._seqs[-1] if lines.readline() else 0
