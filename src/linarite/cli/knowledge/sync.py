"""`linarite knowledge sync`: a vector store comes to hold what a folder holds."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from linarite.cli.arm.flags import Output
from linarite.cli.arm.printed import print_data, say
from linarite.cli.arm.refusals import ServerRefused
from linarite.cli.knowledge.plan import FAILED, attributes_of, plan, reason_of
from linarite.cli.knowledge.sources import source_of
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.knowledge.documents import Document, DocumentSource
    from linarite.cli.knowledge.plan import Addition, Plan
    from linarite.cli.knowledge.service import StoreService
    from linarite.cli.knowledge.sources import SourceFlags

AT_ONCE = 4
WATCH_S = 2.0
REFUSES_ALL = frozenset((401, 403))
"""what is refused so for one file is for all"""


@dataclass(frozen=True, kw_only=True)
class SyncFlags:
    """What is kept where."""

    folder: Annotated[
        str,
        typer.Argument(
            help="Folder of documents, s3://BUCKET/PREFIX or https://…/CONTAINER/PREFIX of Azure "
            "Blob."
        ),
    ]
    store: Annotated[
        str | None,
        typer.Option(
            help="Vector store, by name or id; made where there is none of the name.",
            show_default="the folder's name",
        ),
    ] = None
    include: Annotated[
        list[str] | None, typer.Option(help="Only these files: a pattern of paths or names.")
    ] = None
    exclude: Annotated[list[str] | None, typer.Option(help="None of these files.")] = None
    source: Annotated[
        str | None,
        typer.Option(
            help="Name of this folder in the store: files of other folders stay.",
            show_default="the folder's name",
        ),
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False
    retry: Annotated[
        bool, typer.Option("--retry", help="Send again what the account could not read.")
    ] = False
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and follow every change, until Ctrl-C.")
    ] = False


class Outcome(NamedTuple):
    """What a sync has come to."""

    store: str
    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: int
    problems: list[tuple[str, str]]


async def sync(
    service: StoreService,
    variable: Callable[[str], str | None],
    asked: SyncFlags,
    opening: SourceFlags,
    shown: OutputFlags,
) -> None:
    """Have a vector store hold what a folder holds: new files, changed ones, deleted ones.

    A file is changed when its content is. What was broken off goes on where it was.

    Files that can't be read are named with the reason, and stop nothing; the exit code is 1 then.
    """
    patterns = (asked.include or (), asked.exclude or ())
    folder = source_of(asked.folder, patterns, opening, variable)
    try:
        problems = await _follow(service, asked, folder, shown)
    finally:
        await folder.close()
    if problems:
        raise typer.Exit(1)


async def _follow(
    service: StoreService, asked: SyncFlags, folder: DocumentSource, shown: OutputFlags
) -> bool:
    """Once, or until Ctrl-C; whether there are files that can't be read."""
    source = asked.source or folder.name
    documents = await _documents(folder)  # what can't be read changes nothing in the account
    store = await _store(service, asked.store or folder.name, make=not asked.dry_run)
    outcome = await _once(service, asked, (folder, documents), source, store)
    _tell(outcome, shown.output, dry=asked.dry_run)
    while asked.watch and not asked.dry_run:
        await asyncio.sleep(WATCH_S)
        try:
            now = await folder.documents(_nothing)
            if now == documents:
                continue
            outcome = await _once(service, asked, (folder, now), source, store)
        except SetupError as problem:  # out of reach for now: it is tried again
            say(problem.message)
            continue
        documents = now
        _tell(outcome, shown.output, dry=False)
    return bool(outcome.problems)


def _nothing() -> None:
    """Show nothing."""


async def _documents(folder: DocumentSource) -> list[Document]:
    with bar("looking") as looked:
        return await folder.documents(lambda: looked(None))


async def _store(service: StoreService, wanted: str, *, make: bool) -> dict[str, Any]:
    """The store that is meant. Raises SetupError where several are."""
    found = await service.stores(wanted)
    if len(found) > 1:
        ids = ", ".join(each["id"] for each in found)
        raise SetupError(
            f"{len(found)} vector stores are named '{wanted}': give the id of one as --store: {ids}"
        )
    if found:
        return found[0]
    if wanted.startswith("vs_"):
        raise SetupError(f"There is no vector store {wanted}. Give a name to have one made.")
    if not make:
        return {"id": "", "name": wanted}
    made = await service.create_store(wanted)
    say(f"Made the vector store {wanted}, {made['id']}.")
    return made


async def _once(
    service: StoreService,
    asked: SyncFlags,
    seen: tuple[DocumentSource, list[Document]],
    source: str,
    store: dict[str, Any],
) -> Outcome:
    folder, documents = seen
    there = await service.files_of(store["id"]) if store["id"] else []
    made = plan(documents, there, source, retry=asked.retry)
    outcome = Outcome(store["id"], [], [], [], made.unchanged, [*made.problems])
    if asked.dry_run:
        for each in made.additions:
            (outcome.changed if each.replaced else outcome.added).append(each.document.path)
        outcome.removed.extend(path for path, _ in made.removals)
        return outcome
    await _carry_out(service, folder, source, made, outcome)
    return outcome


async def _carry_out(
    service: StoreService, folder: DocumentSource, source: str, made: Plan, outcome: Outcome
) -> None:
    """Some at a time; Ctrl-C leaves what has come."""
    places = asyncio.Semaphore(AT_ONCE)
    with bar("syncing", len(made.additions) + len(made.removals)) as step:

        async def add(each: Addition) -> None:
            async with places:
                await _add(service, folder, source, each, outcome)
            step(each.document.path)

        async def remove(path: str, file_id: str) -> None:
            async with places:
                await service.remove(outcome.store, file_id)
            outcome.removed.append(path)
            step(path)

        try:
            async with asyncio.TaskGroup() as group:
                for each in made.additions:
                    group.create_task(add(each))
                for path, file_id in made.removals:
                    group.create_task(remove(path, file_id))
        except* SetupError as problems:
            raise problems.exceptions[0] from None


async def _add(
    service: StoreService, folder: DocumentSource, source: str, each: Addition, outcome: Outcome
) -> None:
    """Bring a document in, then take out what it stands for. What fails is noted."""
    document = each.document
    try:
        content = await folder.content(document)
        file_id = await service.upload_document(document.path.rpartition("/")[2], content)
        told = attributes_of(document, source)
        file = await service.take_in(outcome.store, file_id, told)
    except OSError as unreadable:
        outcome.problems.append((document.path, unreadable.strerror or "can't be read"))
        return
    except ServerRefused as refused:
        if refused.status in REFUSES_ALL:
            raise
        outcome.problems.append((document.path, refused.message))
        return
    for old in each.replaced:
        await service.remove(outcome.store, old)
    if file["status"] == FAILED:
        outcome.problems.append((document.path, reason_of(file)))
    else:
        (outcome.changed if each.replaced else outcome.added).append(document.path)


def _tell(outcome: Outcome, output: Output, *, dry: bool) -> None:
    if output is not Output.TABLE:
        told = outcome._asdict()
        told["problems"] = [{"path": path, "reason": why} for path, why in outcome.problems]
        print_data(told, output)
        return
    for path, why in sorted(outcome.problems):
        say(f"{path}: {why}")
    if dry:
        for sign, paths in (("+", outcome.added), ("~", outcome.changed), ("-", outcome.removed)):
            for path in sorted(paths):
                typer.echo(f"{sign} {path}")
    counts = {
        "added": len(outcome.added),
        "changed": len(outcome.changed),
        "removed": len(outcome.removed),
        "unchanged": outcome.unchanged,
        "not read": len(outcome.problems),
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    typer.echo(f"{'would be: ' if dry else ''}{told}")


@contextmanager
def bar(what: str, total: int | None = None) -> Generator[Callable[[str | None], None]]:
    """A bar on a terminal; elsewhere nothing: the end says it."""
    console = Console(stderr=True)
    if not console.is_terminal or total == 0:
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}", style="bold"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[path]}", style="dim"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total, path="")

        def step(path: str | None) -> None:
            progress.update(task, advance=1, path=path or "")

        yield step
