"""`linarite`: all commands, and how their refusals look."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from linarite.cli import (
    account,
    activity,
    audit,
    az_setup,
    batch,
    ca,
    chat,
    content,
    deployment,
    egress,
    explain,
    group,
    identity,
    keys,
    limit,
    netbed,
    operation,
    policy,
    private_endpoint,
    role,
    settings,
    template,
    up,
    usage,
    webhook,
)
from linarite.cli.arm.refusals import ServerRefused
from linarite.cli.help_texts import examples
from linarite.cli.model import build as build_model_commands
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from linarite.cli.commands import Commands

INTERRUPTED_EXIT_CODE = 130


EXAMPLES = examples(
    ("Start a server with real models:", "linarite up"),
    ("Talk to it, from another terminal:", "linarite chat"),
    ("See which models there are:", "linarite model list"),
    ("See what can be set, and what is:", "linarite settings"),
)
MODEL_EXAMPLES = examples(
    ("Which models are here, and which can be added by name?", "linarite model list"),
    ("Add one by its name:", "linarite model add qwen2.5-coder-0.5b-instruct"),
    ("Add a file of your own:", "linarite model add ./my-model.gguf --name my-model"),
)


class Root(TyperGroup):
    """Turns what a command refuses into one line on stderr and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 - typer's own signature
        """Run and exit: 0, 1 for a LinariteError, 2 for wrong usage, 130 for Ctrl-C."""
        extra = {"prog_name": "linarite", **extra, "standalone_mode": False}
        try:
            code = super().main(*args, **extra)
        except ServerRefused as refusal:
            code = refuse(refusal.message, refusal.exit_code)
            sys.stderr.writelines(f"{line}\n" for line in refusal.lines)
        except LinariteError as refusal:
            code = refuse(refusal.message, 1)
        except typer.TyperException as wrong_usage:
            code = refuse(usage_message(wrong_usage), wrong_usage.exit_code)
        except typer.Abort:
            code = refuse("stopped", INTERRUPTED_EXIT_CODE)
        sys.exit(code if isinstance(code, int) else 0)


def refuse(message: str, code: int) -> int:
    """Say it in one line on stderr; red on a terminal only. No words: help has been shown."""
    line = " ".join(message.split())
    if line:
        text = Text.assemble(("error: ", "bold red"), line)
        Console(stderr=True, highlight=False).print(text, soft_wrap=True)
    return code


def usage_message(problem: typer.TyperException) -> str:
    """What is wrong, and whose help tells more: typer knows which command was parsed."""
    message = problem.format_message().strip()
    if not message:
        return ""
    command = getattr(getattr(problem, "ctx", None), "command_path", "linarite")
    end = "" if message.endswith((".", "?")) else "."
    return f"{message}{end} See: {command} --help"


def build_root(commands: Commands) -> typer.Typer:
    """The whole command line; call it to run it."""
    root = typer.Typer(
        cls=Root,
        help="An Azure OpenAI Service that you run yourself.",
        epilog=EXAMPLES,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "obj": commands},
    )

    @root.callback(invoke_without_command=True)
    def start(
        context: typer.Context,
        *,
        version: Annotated[
            bool, typer.Option("--version", help="Print the version and leave.")
        ] = False,
    ) -> None:
        if version:
            typer.echo(f"linarite {commands.version}")
        elif context.invoked_subcommand is None:
            typer.echo(context.get_help())

    @root.command("version", epilog=examples(("Which version is this?", "linarite version")))
    def version() -> None:
        """Print the version."""
        typer.echo(f"linarite {commands.version}")

    up.add_to(root)
    models = build_model_commands(lambda _: commands.model_store(), commands.bring_model)
    root.add_typer(models, epilog=MODEL_EXAMPLES)
    chat.add_to(root)
    keys.add_to(root)
    resources = (account, group, deployment, limit, template, policy, role)
    for nouns in (
        *resources,
        usage,
        content,
        operation,
        activity,
        audit,
        batch,
        egress,
        explain,
        identity,
        private_endpoint,
        webhook,
    ):
        nouns.add_to(root)
    az_setup.add_to(root)
    ca.add_to(root)
    netbed.add_to(root)
    settings.add_to(root)
    return root
