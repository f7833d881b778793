from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server


def test_the_endpoint_is_shown_and_the_key_only_on_request(server: Server) -> None:
    """The key is printed by --show alone, and then nothing else is."""
    shown = linarite(server.home, "keys")
    assert server.endpoint in shown.stdout
    assert server.key not in shown.stdout
    assert str(server.home / "serving.json") in shown.stdout
    assert linarite(server.home, "keys", "--show").stdout == f"{server.key}\n"


def test_without_a_server_the_way_to_start_one_is_told(tmp_path: Path) -> None:
    """There is nothing to show, which is no success."""
    done = linarite(tmp_path, "keys")
    assert done.returncode == 1
    assert "linarite up" in done.stderr
