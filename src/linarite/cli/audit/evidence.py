"""What is handed over to be proved: a data folder, an `audit.db`, or an export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.audit.exported import ExportedLog
from linarite.cli.audit.proof_files import is_export
from linarite.controls.audit.signing import fingerprint
from linarite.controls.audit.verification import Evidence, Link, Verdict, verified
from linarite.domain.errors import SetupError
from linarite.storage.sqlite.audit import AUDIT_FILE
from linarite.storage.sqlite.audit_file import open_audit_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from linarite.cli.audit.anchors import Anchor
    from linarite.storage.sqlite.audit_file import AuditFile

    Tick = Callable[[int, int], None]


def proved(place: Path, anchors: Sequence[Anchor], key: str | None, tick: Tick) -> Verdict:
    """What can be proved of what lies there. Raises SetupError when that is no log."""
    if is_export(place):
        exported = ExportedLog(place)
        require_key(exported.public_key, anchors, key)
        return exported.proved(anchors, tick)
    with open_audit_file(place / AUDIT_FILE if place.is_dir() else place) as file:
        require_key(file.public_key, anchors, key)
        total = file.count()
        evidence = Evidence(
            public_key=file.public_key,
            links=_links(file),
            checkpoints=file.checkpoints(),
            anchors=[each.checkpoint for each in anchors],
        )
        return verified(evidence, lambda done: tick(done, total))


def _links(file: AuditFile) -> Iterator[Link]:
    for kept in file.entries():
        yield Link(kept.entry.seq, kept.digest, kept.entry.hash, kept.fault)


def require_key(public_key: bytes, anchors: Sequence[Anchor], key: str | None) -> None:
    """Let a log pass that is signed by the key that is expected. Raises SetupError."""
    found = fingerprint(public_key)
    wanted = {fingerprint(bytes.fromhex(each.public_key)) for each in anchors}
    if key is not None:
        wanted.add(key)
    for each in wanted - {found}:
        raise SetupError(
            f"This log is signed by {found}, and {each} is expected: it is another log, or one "
            "that somebody has made anew."
        )
