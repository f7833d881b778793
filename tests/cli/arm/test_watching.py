"""Waiting for an operation: seen on a terminal, left by Ctrl-C, taken up again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.cli.terminal import Terminal, linarite
from tests.serving import start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

SLOW = """
[[deployments]]
name = "slow"
model = "slow"

[instances.slow]
engine = "simulator"
start = "first_use"
options = { load_s = 6.0 }
"""


def test_ctrl_c_leaves_the_operation_to_itself(tmp_path: Path) -> None:
    """The bar says what is done; who leaves is told how to come back, and can."""
    with stopped(start_server(tmp_path, SLOW)) as server:
        create = ("deployment", "create", "x", "--model", "slow", "--watch")
        with Terminal(tmp_path, *create) as terminal:
            terminal.wait_for("loading slow")
            terminal.type(chr(3))
            assert terminal.wait_for_end() == 130
        assert "━" in terminal.raw
        assert "Traceback" not in terminal.shown
        going = linarite(server.home, "operation", "list")
        assert re.search(
            r"^x .*/deployments +linarite .*[0-9a-f-]{36}$", going.stdout, re.MULTILINE
        ), going.stderr
        told = re.search(r"linarite operation wait ([0-9a-f-]{36})", terminal.shown)
        assert told, terminal.shown
        done = linarite(server.home, "operation", "wait", told[1])
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(r"^status +Succeeded$", done.stdout, re.MULTILINE)


def test_a_failure_is_told_to_who_watches(tmp_path: Path) -> None:
    """What has been accepted and could not be carried out fails the command, with the reason."""
    weak = SLOW.replace("load_s = 6.0", "tokens_per_second = 50.0")
    with stopped(start_server(tmp_path, weak)) as server:
        create = ("deployment", "create", "big", "--model", "slow", "--capacity", "1000")
        done = linarite(server.home, *create, "--sku", "ProvisionedManaged", "--watch")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: InsufficientResources: ")
        shown = linarite(server.home, "deployment", "show", "big")
        assert re.search(r"^state +Failed$", shown.stdout, re.MULTILINE)
