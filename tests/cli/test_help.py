"""Help teaches by example, and what it teaches is right."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from rich.text import Text

from linarite.cli.commands import Commands
from linarite.cli.root import build_root
from linarite.domain.resource import AccountKeys
from linarite.hosting.models.store import ModelStore

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).resolve().parents[2] / "docs"
FENCED = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"^(?:\$ |Example: )")
OPERATOR = re.compile(r"[();<>|&]+")


@cache
def root_command() -> Any:  # noqa: ANN401 - typer's own, private type
    """The command tree; nothing of it is run."""
    nowhere = Path("nowhere")
    commands = Commands(
        serve=lambda _: 0,
        settings_shown=lambda _: [],
        settings_markdown=lambda: "",
        model_store=lambda: ModelStore(nowhere),
        home=lambda: nowhere,
        stored_keys=lambda _: AccountKeys("", ""),
        version="0",
    )
    root: Any = typer.main.get_command(build_root(commands))
    root.get_command(typer.Context(root), "of no such name")  # all are imported then
    return root


def commands_below(command: Any, name: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - as above
    """Every command with its full name, groups included."""
    yield name, command
    for child_name, child in getattr(command, "commands", {}).items():
        yield from commands_below(child, f"{name} {child_name}")


def lines_to_type(text: str) -> list[list[str]]:
    """The `linarite …` commands of a text, as a shell would split them."""
    found: list[list[str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        typed = PROMPT.sub("", line)
        if not re.match(r"linarite\b|.*\| linarite\b", typed):
            continue
        words = shlex.shlex(typed, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        command: list[str] = []
        for word in [*words, ";"]:
            if not OPERATOR.fullmatch(word):
                command.append(word)
                continue
            if command[:1] == ["linarite"]:
                found.append(command)
            command = []
    return found


def parse(arguments: list[str]) -> None:
    """Parse as typer does when a person types it, without running. Raises TyperException."""
    command = root_command()
    context = command.make_context("linarite", list(arguments), resilient_parsing=False)
    rest = [*context._protected_args, *context.args]
    while hasattr(command, "resolve_command") and rest:
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
        rest = [*getattr(context, "_protected_args", []), *context.args]


NAMES = [name for name, _ in commands_below(root_command(), "linarite")]


@pytest.mark.parametrize("name", NAMES)
def test_every_help_has_examples_that_parse(name: str) -> None:
    """What a person copies from `--help` is understood."""
    epilog = dict(commands_below(root_command(), "linarite"))[name].epilog
    assert epilog, f"{name} has no examples"
    examples = lines_to_type(Text.from_markup(epilog).plain)
    assert examples, f"{name} has no examples: {epilog}"
    own = [line for line in examples if " ".join(line).startswith(name)]
    assert own, f"no example of {name} is about it"
    for _, *arguments in examples:
        parse(arguments)


@pytest.mark.parametrize("page", ["cli.md", "chat.md", "models.md", "netbed.md"])
def test_every_command_of_the_pages_parses(page: str) -> None:
    """What a person copies from the documentation is understood."""
    fences = FENCED.findall((DOCS / page).read_text())
    lines = [line for fence in fences for line in lines_to_type(fence)]
    assert lines
    for _, *arguments in lines:
        parse(arguments)


def test_the_page_shows_every_command() -> None:
    """`docs/cli.md` has an example of each command."""
    fences = FENCED.findall((DOCS / "cli.md").read_text())
    shown = "\n".join(" ".join(line) for fence in fences for line in lines_to_type(fence))
    groups = {name.rpartition(" ")[0] for name in NAMES} - {"linarite keys"}
    leaves = [name for name in NAMES if name not in groups]
    assert [name for name in leaves if name not in shown] == []


@pytest.mark.parametrize(
    "line",
    ["linarite upp", "linarite up --prot 1 &", "echo | linarite model show", "linarite up now"],
)
def test_the_check_catches_examples_that_are_wrong(line: str) -> None:
    """A command, an option or an argument that does not exist is noticed."""
    (found,) = lines_to_type(f"Do this:\n{line}\n")
    with pytest.raises(typer.TyperException):
        parse(found[1:])
