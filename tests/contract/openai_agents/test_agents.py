"""Agents of OpenAI's own framework with hosted tools, and an MCP server of its own library."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from openai import OpenAI

from tests.e2e.test_stored_files import wait_for
from tests.serving import SIMULATED, clean_environment, free_port, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

HERE = Path(__file__).parent
PYTHON = HERE.parent.parent.parent / ".venv.applications" / "bin" / "python"
RUN_S = 120


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that may reach MCP servers of this machine."""
    settings = SIMULATED + '\n[mcp]\nprivate_hosts = ["127.0.0.1"]\n'
    yield from serving(tmp_path_factory.mktemp("agents"), settings)


@pytest.fixture(scope="module")
def mcp_url() -> Iterator[str]:
    """A server of the protocol's own library, once it listens."""
    if not PYTHON.exists():
        pytest.skip("the frameworks are not installed: `make test` makes .venv.applications")
    port = free_port()
    with subprocess.Popen([PYTHON, HERE / "mcp_official.py", str(port)]) as process:
        wait_for(lambda: _listens(port))
        yield f"http://127.0.0.1:{port}/mcp"
        process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_agents_use_hosted_tools(server: Server, mcp_url: str) -> None:
    """They search files, call tools, and have a person asked first."""
    with OpenAI(base_url=f"{server.endpoint}/openai/v1/", api_key=server.key) as client:
        store = client.vector_stores.create(name="handbook")
        client.vector_stores.files.upload_and_poll(
            vector_store_id=store.id, file=("leave.md", b"Everybody has 30 days of leave.")
        )
    done = subprocess.run(
        [PYTHON, HERE / "program.py", store.id, mcp_url],
        env=clean_environment() | {"ENDPOINT": server.endpoint, "KEY": server.key},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "Everybody has 30 days of leave." in told["found"]
    assert told["items"][0] == "ResponseFileSearchToolCall"
    assert (told["added"], told["approved"], told["asked"]) == ("7", "11", ["add"])
