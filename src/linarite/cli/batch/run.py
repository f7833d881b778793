"""`linarite batch run`: a file goes in, and with --watch its answers come to lie beside it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.arm.flags import Output
from linarite.cli.arm.printed import print_data, say
from linarite.cli.batch.results import end, write_results
from linarite.cli.batch.watching import watch
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.batch.service import BatchService

FIRST_LINE_BYTES_MAX = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class RunFlags:
    """What is to be answered."""

    file: Annotated[
        Path,
        typer.Argument(help="JSON lines, one request a line.", dir_okay=False),
    ]
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Wait until it has ended, and write the answers."),
    ] = False
    to: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the answers.",
            show_default="the file's",
            file_okay=False,
        ),
    ] = None


async def run(service: BatchService, asked: RunFlags, shown: OutputFlags) -> None:
    """Have a file of requests answered in the background.

    It goes on without this command, and over restarts of the server.

    With --watch, the answers come to lie beside the file, as NAME_output.jsonl.
    """
    url = url_of(asked.file)
    file = await service.upload(asked.file, asked.file.name)
    batch = await service.create(file["id"], url)
    say(f"Uploaded {asked.file.name} as {file['id']}.")
    if not asked.watch:
        say(f"To wait for it: linarite batch show {batch['id']} --watch --to .")
        if shown.output is Output.TABLE:
            typer.echo(batch["id"])
        else:
            print_data(batch, shown.output)
        return
    batch = await watch(service, batch)
    written = await write_results(service, batch, asked.to or asked.file.parent, asked.file.stem)
    end(batch, written, shown.output)


def url_of(file: Path) -> str:
    """What the file's first line asks for. Raises SetupError where nobody can tell."""
    try:
        with file.open("rb") as opened:
            lines = iter(lambda: opened.readline(FIRST_LINE_BYTES_MAX), b"")
            texts = (line.decode("utf-8-sig", "replace").strip() for line in lines)
            first = next(filter(None, texts), "")
    except OSError as problem:
        raise SetupError(f"{file} can't be read: {problem.strerror}.") from None
    if not first:
        raise SetupError(f"{file} is empty: it needs a request on each line.")
    with suppress(ValueError, KeyError, TypeError):
        url = json.loads(first)["url"]
        if isinstance(url, str):
            return url
    raise SetupError(
        f'The first line of {file} names no "url". A line looks like this: '
        '{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": '
        '"DEPLOYMENT", "messages": [{"role": "user", "content": "Hi."}]}}'
    )
