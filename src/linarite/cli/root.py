"""`linarite`: all commands, and how their refusals look."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from linarite.cli.arm.refusals import ServerRefused
from linarite.cli.help_texts import escaped, examples
from linarite.cli.plain import Plain, console_on
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.cli.commands import Commands

INTERRUPTED_EXIT_CODE = 130
COMMANDS: dict[str, Callable[[], Any]] = {
    "up": lambda: import_module("linarite.cli.up"),
    "model": lambda: import_module("linarite.cli.model"),
    "chat": lambda: import_module("linarite.cli.chat"),
    "keys": lambda: import_module("linarite.cli.keys"),
    "account": lambda: import_module("linarite.cli.account"),
    "group": lambda: import_module("linarite.cli.group"),
    "deployment": lambda: import_module("linarite.cli.deployment"),
    "limit": lambda: import_module("linarite.cli.limit"),
    "template": lambda: import_module("linarite.cli.template"),
    "policy": lambda: import_module("linarite.cli.policy"),
    "role": lambda: import_module("linarite.cli.role"),
    "usage": lambda: import_module("linarite.cli.usage"),
    "content": lambda: import_module("linarite.cli.content"),
    "data": lambda: import_module("linarite.cli.data"),
    "operation": lambda: import_module("linarite.cli.operation"),
    "activity": lambda: import_module("linarite.cli.activity"),
    "audit": lambda: import_module("linarite.cli.audit"),
    "batch": lambda: import_module("linarite.cli.batch"),
    "knowledge": lambda: import_module("linarite.cli.knowledge"),
    "egress": lambda: import_module("linarite.cli.egress"),
    "explain": lambda: import_module("linarite.cli.explain"),
    "identity": lambda: import_module("linarite.cli.identity"),
    "private-endpoint": lambda: import_module("linarite.cli.private_endpoint"),
    "webhook": lambda: import_module("linarite.cli.webhook"),
    "az-setup": lambda: import_module("linarite.cli.az_setup"),
    "ca": lambda: import_module("linarite.cli.ca"),
    "netbed": lambda: import_module("linarite.cli.netbed"),
    "settings": lambda: import_module("linarite.cli.settings"),
}
"""each is imported when it is asked for: one is enough for most"""

PANELS: dict[str, tuple[str, ...]] = {
    "Start here": ("up", "model", "chat", "keys", "settings", "az-setup", "version"),
    "Accounts, and what they serve": (
        *("account", "group", "deployment", "limit", "template", "operation"),
    ),
    "Who may": ("identity", "role", "policy", "private-endpoint", "ca"),
    "Batches and documents": ("batch", "knowledge"),
    "What happens": (
        *("usage", "activity", "audit", "content", "data", "explain", "egress", "webhook"),
    ),
    "Networks to try": ("netbed",),
}
"""under which words the help shows them, in what order"""
_PANEL_OF = {name: panel for panel, names in PANELS.items() for name in names}


EXAMPLES = examples(
    ("Start a server with real models:", "linarite up"),
    ("Talk to it, from another terminal:", "linarite chat"),
    ("See which models there are:", "linarite model list"),
    ("See what can be set, and what is:", "linarite settings"),
)


class Root(TyperGroup):
    """Imports the commands that are asked for; their refusals are a line and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's signature
        """All of them, panel by panel."""
        return [name for names in PANELS.values() for name in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - as above
        """A command; where there is none of that name, typer looks which one may be meant."""
        made: dict[str, Any] = vars(self)["commands"]  # of a type that typer keeps to itself
        for name in [cmd_name] if cmd_name in COMMANDS else COMMANDS:
            if name not in made:
                shelf = typer.Typer()
                COMMANDS[name]().add_to(shelf)
                made |= get_group(shelf).commands
        command = made.get(cmd_name)
        if command is not None:
            command.rich_help_panel = _PANEL_OF[cmd_name]
        return command

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
        console = console_on()
        if isinstance(console, Plain):
            console.print(f"error: {line}")
        else:
            styled = f"[bold red]error: [/]{escaped(line)}"
            console.print(styled, soft_wrap=True, highlight=False)
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

    return root
