"""Tools in a response that is made in the background, over the death of the server."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests import mcp_server
from tests.e2e.test_background_responses import client_of, ended
from tests.e2e.test_stored_files import wait_for
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = SIMULATED + '\n[mcp]\nprivate_hosts = ["127.0.0.1"]\n'


@pytest.fixture
def mcp_url(tmp_path: Path) -> Iterator[str]:
    """An MCP server whose tools take their time."""
    with mcp_server.running(tmp_path) as url:
        yield f"{url}/plain?slow"


def calls_in(home: Path) -> list[dict[str, Any]]:
    """What was called of the MCP server."""
    path = home / "calls.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_no_call_is_made_twice(tmp_path: Path, mcp_url: str) -> None:
    """Killed during a call that may change something: the response fails and says so.

    One whose tool only reads is made anew.
    """
    home = tmp_path / "home"
    server = start_server(home, SETTINGS)
    tool: Any = {
        "type": "mcp",
        "server_label": "notes",
        "server_url": mcp_url,
        "require_approval": "never",
    }
    made: list[str] = []
    with client_of(server) as client:
        for name, said in (("note", 'Write "x" down'), ("add", "Add the numbers 3 and 4")):
            queued = client.responses.create(
                model="gpt-4o",
                input=said,
                tools=[tool | {"allowed_tools": [name]}],
                background=True,
            )
            made.append(queued.id)
        wait_for(lambda: len(calls_in(tmp_path)) == 2)
        time.sleep(0.1)
    server.kill()
    with stopped(start_server(home, SETTINGS)) as again, client_of(again) as client:
        noted, added = (ended(client, each) for each in made)
        assert noted.status == "failed"
        assert noted.error is not None
        assert "it is not made again" in noted.error.message
        call = noted.output[-1]
        assert call.type == "mcp_call"
        assert (call.status, call.name, call.output) == ("incomplete", "note", None)
        assert "not known" in str(call.error)
        assert (added.status, added.output_text) == ("completed", "7")
    names = [each["name"] for each in calls_in(tmp_path)]
    assert (names.count("note"), names.count("add")) == (1, 2)
