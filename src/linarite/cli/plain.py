"""Where there is no terminal: lines as they are.

A server runs without a terminal for months; what draws on one takes memory and time to load.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


class Plain:
    """Stands for a console that is no terminal."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def print(self, line: object = "", **style: object) -> None:
        """One line; there is no style here."""
        del style
        self.file.write(f"{line}\n")
        self.file.flush()


def console_on(file: TextIO | None = None) -> Console | Plain:
    """What is fit for stderr, or for another stream."""
    stream = sys.stderr if file is None else file
    if not stream.isatty():
        return Plain(stream)
    from rich.console import Console  # noqa: PLC0415 - slow, and for terminals alone

    return Console(file=stream)
