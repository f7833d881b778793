"""What the model commands have in common on the screen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Generator

_WIDTH_WITHOUT_TERMINAL = 160


def console_for(*, stderr: bool = False) -> Console:
    """A console that colours only on a terminal, and does not fold lines for a pipe."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


@contextmanager
def failing_in_one_line() -> Generator[None]:
    """Turn our errors into one line on stderr and exit status 1."""
    try:
        yield
    except LinariteError as error:
        say_error(error)
        raise typer.Exit(1) from None


def say_error(error: LinariteError) -> None:
    """Print an error's message as one line."""
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(" ".join(error.message.split()), err=True)


def megabytes(size_bytes: int) -> str:
    """`92.9 MB`, decimal as disks and networks count."""
    return f"{size_bytes / 1e6:,.1f} MB"
