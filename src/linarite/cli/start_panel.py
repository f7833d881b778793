"""What `linarite up` says once it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.plain import Plain
from linarite.cli.serving_file import SERVING_FILE

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from linarite.cli.serving_file import ServingFile


def show_panel(content: ServingFile, *, console: Console | Plain, chat: str) -> None:
    """Say how to use the server: to a person in full, to anything else without the key.

    `chat` is the command that talks to it from another terminal.
    """
    if isinstance(console, Plain) or not console.is_terminal:
        show_to_log(content, console)
        return
    from linarite.cli.start_screen import show_to_person  # noqa: PLC0415 - slow, and for terminals alone

    show_to_person(content, console, chat)


def show_to_log(content: ServingFile, console: Console | Plain) -> None:
    """Plain lines. Logs are collected and kept, so the key stays out of them."""
    say(console, f"Linarite serves at {content.endpoint}")
    if content.https_endpoint not in {None, content.endpoint}:
        say(console, f"  and at {content.https_endpoint}, by the authority in {content.ca_file}")
    for deployment in content.deployments:
        detail = f", {deployment.detail}" if deployment.detail else ""
        say(console, f"  {deployment.name} ({deployment.model}): {deployment.state}{detail}")
    say(console, f"Key and endpoints: {content.home}/{SERVING_FILE}")
    say(console, "Stop it with Ctrl-C or SIGTERM.")


def say(console: Console | Plain, line: str | Text = "") -> None:
    """One line as it is, however long."""
    console.print(line, soft_wrap=True, markup=False, highlight=False)
