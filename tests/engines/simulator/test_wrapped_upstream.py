"""A server that records what another one says, as settings wire it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.serving import SIMULATED, Server, start_server

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

RECORDING = """
[[deployments]]
name = "gpt-4o"
model = "gpt-4o"
instance = "recorder"

[instances.recorder]
engine = "simulator"
model = "gpt-4o"

[instances.recorder.options]
record_folder = "{folder}"

[instances.recorder.options.wraps]
engine = "upstream"
options = {{ kind = "azure", base_url = "{endpoint}", api_key = "env:OTHER_SERVERS_KEY" }}
"""


def test_a_server_records_what_another_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrapped engine gets its key from the environment and reaches the host settings name."""
    folder = tmp_path / "recordings"
    other = start_server(tmp_path / "other", SIMULATED)
    try:
        monkeypatch.setenv("OTHER_SERVERS_KEY", other.key)
        settings = RECORDING.format(folder=folder, endpoint=other.endpoint)
        recorder = start_server(tmp_path / "recorder", settings)
        try:
            assert say(recorder) == say(other)
        finally:
            recorder.stop()
    finally:
        other.stop()
    (file,) = folder.iterdir()
    assert other.key not in file.read_text()


def say(server: Server) -> str:
    """What a server answers."""
    answer = httpx.post(
        f"{server.endpoint}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        json={"messages": [{"role": "user", "content": "Tell me about the sea."}]},
        headers={"api-key": server.key},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])
