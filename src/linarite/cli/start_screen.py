"""What `linarite up` shows to a person once it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.syntax import Syntax
from rich.text import Text

from linarite.cli.snippets import curl_command, python_program
from linarite.cli.start_panel import say

if TYPE_CHECKING:
    from rich.console import Console

    from linarite.cli.serving_file import ServedDeployment, ServingFile

STATE_STYLES = {"Ready": "green", "Failed": "red", "BackingOff": "red"}


def show_to_person(content: ServingFile, console: Console, chat: str) -> None:
    """Facts, then what to try; no borders or folded lines, which would spoil copying."""
    console.rule("Linarite", align="left", style="dim")
    say(console, labelled("endpoint", Text(content.endpoint, style="bold")))
    if content.https_endpoint not in {None, content.endpoint}:
        say(console, labelled("https", Text(f"{content.https_endpoint}")))
        say(console, labelled("", Text("clients trust it by: linarite ca trust", style="dim")))
    say(console, labelled("key", Text(content.api_key, style="bold")))
    for position, deployment in enumerate(content.deployments):
        say(console, labelled("" if position else "deployments", described(deployment)))
    say(console, labelled("data", Text(content.home)))
    say(console, labelled("stop", Text("Ctrl-C")))
    say(console)
    curl, program = curl_command(content), python_program(content)
    if curl is None or program is None:
        say(console, Text("No deployment is ready yet; why, is said above.", style="yellow"))
        return
    say(console, Text("Try it:", style="bold"))
    say(console, coloured(curl, "bash"))
    say(console, Text("In Python (pip install openai):", style="bold"))
    say(console, coloured(program, "python"))
    say(console, Text.assemble("Or chat, from another terminal: ", (chat, "bold")))


def labelled(name: str, value: Text) -> Text:
    """A row of two columns."""
    return Text.assemble((f"{name:<13}", "dim"), value)


def described(deployment: ServedDeployment) -> Text:
    """Name, model if it differs, state, and why."""
    model = "" if deployment.model == deployment.name else f" ({deployment.model})"
    state = (f" {deployment.state}", STATE_STYLES.get(deployment.state, "yellow"))
    detail = f": {deployment.detail}" if deployment.detail else ""
    return Text.assemble(deployment.name, model, state, detail)


def coloured(code: str, language: str) -> Text:
    """Code for a terminal, with nothing around it."""
    return Syntax("", language, theme="ansi_dark", background_color="default").highlight(code)
