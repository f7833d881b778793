"""`linarite chat`: talk to a model in the terminal, ours or anyone's."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.chat.endpoint import Asked, choose_endpoint
from linarite.cli.chat.model import ChatModel, Sampling
from linarite.cli.chat.session import Session
from linarite.cli.given_key import read_key
from linarite.cli.help_texts import examples

if TYPE_CHECKING:
    from linarite.cli.commands import Commands

EXAMPLES = examples(
    ("Talk to the server that runs on this machine:", "linarite chat"),
    ("To one of its deployments, and see how fast it is:", "linarite chat gpt-4o --stats"),
    (
        "One question, one answer:",
        "echo 'Why is the sky blue?' | linarite chat --max-tokens 100",
    ),
    (
        "To Azure OpenAI:",
        """linarite chat gpt-4o --endpoint https://NAME.openai.azure.com \\
  --key env:AZURE_OPENAI_API_KEY""",
    ),
    (
        "To anything that speaks OpenAI's protocol:",
        "linarite chat MODEL --endpoint http://127.0.0.1:8000/v1",
    ),
)


def add_to(root: typer.Typer) -> None:
    """Add the command."""
    root.command("chat", epilog=EXAMPLES)(chat)


def chat(  # noqa: PLR0913 - an option each
    context: typer.Context,
    deployment: Annotated[
        str | None,
        typer.Argument(
            help="Deployment to talk to (or model, where there are no deployments).",
            show_default="the server's largest",
        ),
    ] = None,
    *,
    endpoint: Annotated[
        str | None,
        typer.Option(
            help="URL of the endpoint; ends in /v1 for OpenAI's protocol.",
            show_default="the server that runs here",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="Its key, best as env:NAME: other users may see what is typed here."),
    ] = None,
    key_file: Annotated[Path | None, typer.Option(help="File that holds its key.")] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="PEM file with the authority to trust, for private ones.")
    ] = None,
    api_version: Annotated[
        str | None, typer.Option(help="Azure's api-version.", show_default="2024-10-21")
    ] = None,
    system: Annotated[str | None, typer.Option(help="System message.")] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, max=2, help="0 for the likeliest answer.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Most tokens an answer may have.")
    ] = None,
    stats: Annotated[
        bool, typer.Option("--stats", help="Show tokens and speed after each answer.")
    ] = False,
) -> None:
    """Talk to a model in the terminal.

    Ctrl-C stops an answer, Ctrl-D ends; /help lists what else can be typed.
    From a pipe, all of standard input is one question; its answer is printed.
    """
    commands: Commands = context.obj
    asked = Asked(
        deployment=deployment,
        endpoint=endpoint,
        key=read_key(key, key_file, commands.variable),
        ca_file=str(ca_file) if ca_file is not None else None,
        api_version=api_version,
    )
    sampling = Sampling(temperature=temperature, max_tokens=max_tokens, wants_usage=stats)
    model = ChatModel(choose_endpoint(asked, commands.home), sampling)
    raise typer.Exit(Session(model, system=system, stats=stats).run())
