from __future__ import annotations

import io
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from linarite.cli.start_panel import show_panel
from tests.cli.terminal import WAIT_S, Terminal, environment
from tests.cli.test_snippets import LOADING, SMALL, content_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = """
[[deployments]]
name = "gpt-4o"
model = "gpt-4o"

[instances.gpt-4o]
engine = "simulator"
"""


def test_without_a_terminal_the_key_is_not_shown() -> None:
    """Collected logs must not hold keys: the serving file is named instead; nothing is coloured."""
    out = io.StringIO()
    show_panel(content_with(SMALL, LOADING), console=Console(file=out), chat="chat")
    assert "the-key" not in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert "/data/serving.json" in out.getvalue()
    assert "small (small): Ready" in out.getvalue()
    assert "loading (loading): Starting" in out.getvalue()


def test_without_a_ready_deployment_no_command_is_shown() -> None:
    """What would fail is not offered; the states say why."""
    out = io.StringIO()
    show_panel(content_with(LOADING), console=Console(file=out, force_terminal=True), chat="chat")
    assert "Starting" in out.getvalue()
    assert "curl" not in out.getvalue()
    assert "No deployment is ready" in out.getvalue()


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `linarite up` shows on a terminal, while its server runs."""
    home = tmp_path_factory.mktemp("home")
    (home / "linarite.toml").write_text(SETTINGS)
    with Terminal(home, "up", "--port", "0") as terminal:
        terminal.wait_for("linarite chat\n")
        yield terminal.shown
        terminal.type("\x03")
        assert terminal.wait_for_end() == 0, terminal.shown


def test_the_panel_tells_what_one_needs(panel: str, tmp_path: Path) -> None:
    """Endpoint, key, deployments with their state, where data lies, how to stop."""
    rows = {line.split()[0]: line for line in panel.splitlines() if line.strip()}
    assert "http://127.0.0.1:" in rows["endpoint"]
    assert len(rows["key"].split()[1]) > 20
    assert rows["deployments"].split()[1:] == ["gpt-4o", "Ready"]
    assert str(tmp_path.parent) in rows["data"]
    assert "Ctrl-C" in rows["stop"]


def test_the_curl_line_works_as_printed(panel: str, tmp_path: Path) -> None:
    """Pasted into a shell, it answers with a chat completion."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: `make test` installs it on Debian")
    _, _, rest = panel.partition("Try it:\n")
    command, _, _ = rest.partition("\n\n")
    done = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        env=environment(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert '"object":"chat.completion"' in done.stdout


def test_the_python_program_works_as_printed(panel: str, tmp_path: Path) -> None:
    """Pasted into a file, it prints an answer."""
    _, _, rest = panel.partition("(pip install openai):\n")
    program, _, _ = rest.partition("\n\nOr chat")
    file = tmp_path / "program.py"
    file.write_text(program)
    done = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        env=environment(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 3
