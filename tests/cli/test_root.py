from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite import __version__
from linarite.cli.root import COMMANDS, PANELS
from tests.cli.terminal import Terminal, linarite

if TYPE_CHECKING:
    from pathlib import Path


def test_no_arguments_show_the_help(tmp_path: Path) -> None:
    """Somebody who types only `linarite` learns what there is."""
    done = linarite(tmp_path)
    assert done.returncode == 0
    for command in ("up", "chat", "model", "keys", "settings"):
        assert f" {command} " in done.stdout


def test_every_command_stands_in_one_panel_of_the_help(tmp_path: Path) -> None:
    """What to begin with comes first, and nothing is left out."""
    listed = [name for names in PANELS.values() for name in names]
    assert sorted(listed) == sorted(["version", *COMMANDS])
    shown = linarite(tmp_path).stdout
    places = [shown.index(f" {panel} ") for panel in PANELS]
    assert places == sorted(places)


@pytest.mark.parametrize("argument", ["--version", "version"])
def test_the_version_is_told(tmp_path: Path, argument: str) -> None:
    """Both usual ways of asking work."""
    assert linarite(tmp_path, argument).stdout == f"linarite {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("chta",), "No such command 'chta'. Did you mean 'chat', 'ca'? See: linarite --help"),
        (("up", "--port", "x"), "See: linarite up --help"),
        (("up", "--port", "70000"), "is not in the range 0<=x<=65535"),
        (("model", "show"), "See: linarite model show --help"),
        (("settings", "--json", "--markdown"), "exclude each other"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    """The line says what is wrong and whose help to read."""
    done = linarite(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_refusal_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    """An error of ours never shows a traceback."""
    (tmp_path / "linarite.toml").write_text("[server]\nport = 'high'\n")
    done = linarite(tmp_path, "settings")
    assert done.returncode == 1
    assert done.stderr.startswith("error: server.port")
    assert done.stderr.count("\n") == 1


def test_colour_is_for_terminals(tmp_path: Path) -> None:
    """Help and errors are coloured on a terminal, and only there."""
    assert "\x1b" not in linarite(tmp_path, "--help").stdout
    assert "\x1b" not in linarite(tmp_path, "nonsense").stderr
    with Terminal(tmp_path, "--help") as terminal:
        assert terminal.wait_for_end() == 0
    assert "\x1b[" in terminal.raw
    with Terminal(tmp_path, "nonsense") as terminal:
        assert terminal.wait_for_end() == 2
    assert "\x1b[1;31merror: " in terminal.raw


def test_no_color_is_obeyed(tmp_path: Path) -> None:
    """With NO_COLOR an error has no colour on a terminal either."""
    with Terminal(tmp_path, "nonsense", NO_COLOR="1") as terminal:
        assert terminal.wait_for_end() == 2
    assert "error: " in terminal.shown
    assert "31m" not in terminal.raw
