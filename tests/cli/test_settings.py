from __future__ import annotations

import json
from pathlib import Path

from tests.cli.terminal import Terminal, linarite

UPSTREAM = """
[[deployments]]
name = "chat"
model = "there"

[instances.there]
engine = "upstream"
options = { base_url = "https://example.com/v1", api_key = "CANARY" }
"""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"


def test_each_setting_is_shown_with_its_origin(tmp_path: Path) -> None:
    """Default, file and environment are told apart."""
    file = tmp_path / "my.toml"
    file.write_text("[server]\nport = 9001\n")
    done = linarite(tmp_path, "settings", "--config", str(file), LINARITE_SERVER_HOST="::1")
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(" = ", 1) for line in done.stdout.splitlines())
    assert lines["server.port"] == "9001\tfile"
    assert lines["server.host"] == '"::1"\tenvironment LINARITE_SERVER_HOST'
    assert lines["server.drain_s"].endswith("\tdefault")
    assert str(tmp_path) in lines["home"]


def test_programs_get_json(tmp_path: Path) -> None:
    """The same rows, with descriptions and values of their own types; no option's value."""
    (tmp_path / "linarite.toml").write_text(UPSTREAM)
    done = linarite(tmp_path, "settings", "--json")
    rows = {row["key"]: row for row in json.loads(done.stdout)}
    assert rows["server.port"]["origin"] == "default"
    assert rows["server.port"]["description"]
    assert rows["server.port"]["value"] == 8080
    assert rows["server.host"]["value"] == "127.0.0.1"
    assert rows["models.fetch"]["value"] is True
    assert rows["deployments"]["value"][0]["name"] == "chat"
    assert rows["instances"]["value"]["there"]["options"] == ["api_key", "base_url"]
    assert "CANARY" not in done.stdout


def test_the_reference_page_is_printed(tmp_path: Path) -> None:
    """--markdown prints what the documentation holds."""
    assert linarite(tmp_path, "settings", "--markdown").stdout == PAGE.read_text()


def test_a_person_gets_a_table(tmp_path: Path) -> None:
    """On a terminal the meaning stands beside each setting."""
    with Terminal(tmp_path, "settings") as terminal:
        terminal.wait_for("server.port")
        assert terminal.wait_for_end() == 0
    assert "TCP port" in terminal.shown
