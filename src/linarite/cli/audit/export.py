"""`linarite audit export`: the log for other programs, with what proves it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, BinaryIO, Self

import msgspec
import typer

from linarite.cli.audit.anchors import anchor_of
from linarite.cli.audit.list import moment
from linarite.cli.audit.proof_files import (
    CHAIN_FILE,
    CHECKPOINTS_FILE,
    DIAGNOSTIC,
    KEY_FILE,
    MANIFEST_FILE,
    PROOF_FOLDER,
    ChainLine,
    Manifest,
)
from linarite.cli.help_texts import examples
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.cli.commands import Commands
    from linarite.storage.sqlite.audit_file import AuditFile, KeptEntry

EXAMPLES = examples(
    ("In Azure's layout of diagnostic logs:", "linarite audit export --out ./exported"),
    (
        "November, a line of JSON for each event:",
        """linarite audit export --format jsonl --from 2026-11-01 --to 2026-12-01 \\
  --out ./november""",
    ),
    ("Is it whole? Anywhere, without the server:", "linarite audit verify ./exported"),
)
OPEN_FILES_MAX = 64
TENANT = "local"


class Format(StrEnum):
    """How events are written."""

    DIAGNOSTIC = "diagnostic"
    JSONL = "jsonl"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", epilog=EXAMPLES)(export)


def export(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="Folder to write; made, and empty if it is there.")],
    layout: Annotated[
        Format,
        typer.Option("--format", help="Azure's diagnostic logs, or a line of JSON for each event."),
    ] = Format.DIAGNOSTIC,
    since: Annotated[
        str | None, typer.Option("--from", help="Not before this time, ISO 8601, UTC.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Before this time.")] = None,
    home: Annotated[
        Path | None, typer.Option(help="The data folder.", show_default="as settings say")
    ] = None,
) -> None:
    """Write the audit log to a folder, with what proves it beside.

    The data folder is only read; its server may run or not.
    """
    from linarite.storage.sqlite.audit import AUDIT_FILE  # noqa: PLC0415 - slow, and seldom needed
    from linarite.storage.sqlite.audit_file import open_audit_file  # noqa: PLC0415 - the same

    commands: Commands = context.obj
    _empty(out)
    span = (moment(since, "--from"), moment(until, "--to"))
    with open_audit_file((home or commands.home()) / AUDIT_FILE) as file:
        manifest = Exporter(out, layout, span).write(file)
    count = manifest.last - manifest.first + 1
    typer.echo(f"{count:,} events in {out}. Prove them: linarite audit verify {out}")


class Exporter:
    """Writes one export."""

    def __init__(self, out: Path, layout: Format, span: tuple[str, str]) -> None:
        self._out = out
        self._layout = layout
        self._since, self._until = span
        self._first = self._last = 0
        self._records = RecordFiles(out)

    def write(self, file: AuditFile) -> Manifest:
        """Everything; what lies outside of the span is in the chain by its digest alone."""
        from linarite.controls.audit.signing import pem  # noqa: PLC0415 - slow, and seldom needed

        folder = self._out / PROOF_FOLDER
        folder.mkdir(parents=True)
        after, after_hash = _beginning(file)
        with (folder / CHAIN_FILE).open("wb") as chain, self._records:
            for kept in file.entries():
                chain.write(msgspec.json.encode(self._line(kept)) + b"\n")
        public = file.public_key
        statements = [anchor_of(each, public) for each in file.checkpoints()]
        lines = b"".join(msgspec.json.encode(each) + b"\n" for each in statements)
        (folder / CHECKPOINTS_FILE).write_bytes(lines)
        manifest = Manifest(
            format=self._layout.value,
            tenant=TENANT,
            public_key=public.hex(),
            first=self._first or 1,
            last=self._last,
            after=after,
            after_hash=after_hash.hex(),
        )
        (folder / KEY_FILE).write_text(pem(public), encoding="ascii")
        # Last: what breaks off has no manifest, and is no export.
        (folder / MANIFEST_FILE).write_bytes(msgspec.json.encode(manifest))
        return manifest

    def _line(self, kept: KeptEntry) -> ChainLine:
        from linarite.controls.audit.chain import event_of  # noqa: PLC0415 - slow, and seldom needed
        from linarite.controls.audit.diagnostic import path_of, record_line  # noqa: PLC0415 - the same

        entry = kept.entry
        if kept.fault:
            raise SetupError(
                f"Entry {entry.seq} is broken ({kept.fault}). See: linarite audit verify"
            )
        event = event_of(entry.body)
        # Whole stretches: the clock may have been set back in between.
        begun = self._first or not self._since or event.at >= self._since
        if not begun or (self._until and event.at >= self._until):
            return ChainLine(entry.seq, entry.hash.hex(), digest=kept.digest.hex())
        if self._last and self._last != entry.seq - 1:
            return ChainLine(entry.seq, entry.hash.hex(), digest=kept.digest.hex())
        self._first = self._first or entry.seq
        self._last = entry.seq
        if self._layout.value == DIAGNOSTIC:
            self._records.append(path_of(event), record_line(entry, TENANT))
        return ChainLine(entry.seq, entry.hash.hex(), event=msgspec.Raw(entry.body))


class RecordFiles:
    """The files of records, of which only some are open at a time."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._open: dict[str, BinaryIO] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        for file in self._open.values():
            file.close()

    def append(self, path: str, line: bytes) -> None:
        """Add a line to a file, which is made if need be."""
        file = self._open.pop(path, None)
        if file is None:
            if len(self._open) >= OPEN_FILES_MAX:
                self._open.pop(next(iter(self._open))).close()
            place = self._out / path
            place.parent.mkdir(parents=True, exist_ok=True)
            file = place.open("ab")
        self._open[path] = file
        file.write(line)


def _beginning(file: AuditFile) -> tuple[int, bytes]:
    """What the oldest entry kept comes after: nothing, or what was removed below a signature."""
    from linarite.controls.audit.chain import genesis  # noqa: PLC0415 - slow, and seldom needed

    pruned = [each for each in file.checkpoints() if each.kind == "prune"]
    if not pruned:
        return 0, genesis(file.public_key)
    last = max(pruned, key=lambda each: each.seq)
    return last.seq, last.hash


def _empty(out: Path) -> None:
    """A folder of our own. Raises SetupError."""
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise SetupError(f"{out} is not empty. Name a folder that is, or one to be made.")
    except OSError as problem:
        raise SetupError(f"{out} can't be written: {problem}.") from None
