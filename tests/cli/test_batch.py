"""`linarite batch …` against a real server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.terminal import Terminal, linarite
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

SETTINGS = """
[[deployments]]
name = "later"
model = "gpt-4o"
sku = "GlobalBatch"
instance = "simulated"

[[deployments]]
name = "slow"
model = "gpt-4o"
sku = "GlobalBatch"
instance = "slow"

[instances.simulated]
engine = "simulator"
model = "gpt-4o"
options = { seed = 1, time_to_first_token_ms = 20 }

[instances.slow]
engine = "simulator"
model = "gpt-4o"
options = { seed = 1, parallel_requests = 1, time_to_first_token_ms = 400 }
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that takes batches."""
    yield from serving(tmp_path_factory.mktemp("batch"), SETTINGS)


def asked(folder: Path, count: int = 20, **body: Any) -> Path:  # noqa: ANN401 - JSON
    """A file of requests, the first of which is refused."""

    def line(number: int) -> str:
        most = {"max_tokens": 2 if number else 0}
        told = {"model": "later", "messages": [{"role": "user", "content": "Hi."}]} | most | body
        url = "/v1/chat/completions"
        return json.dumps({"custom_id": f"t-{number}", "method": "POST", "url": url, "body": told})

    file = folder / "asked.jsonl"
    file.write_text("\n".join(map(line, range(count))))
    return file


def test_answers_come_to_lie_beside_the_file(server: Server, tmp_path: Path) -> None:
    """Without a terminal: lines that tell how far it is, no bar and no colour."""
    file = asked(tmp_path)
    done = linarite(server.home, "batch", "run", str(file), "--watch")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "completed, 20 of 20, 1 failed" in done.stdout
    assert "Uploaded asked.jsonl as file-" in done.stderr
    output, errors = (tmp_path / f"asked_{kind}.jsonl" for kind in ("output", "error"))
    assert [str(output) in done.stdout, str(errors) in done.stdout] == [True, True]
    assert len(output.read_text().splitlines()) == 19
    assert json.loads(errors.read_text())["custom_id"] == "t-0"


def test_a_bar_on_a_terminal(server: Server, tmp_path: Path) -> None:
    """It counts, and leaves nothing but the end."""
    file = asked(tmp_path, 200)
    with Terminal(server.home, "batch", "run", str(file), "--watch") as terminal:
        terminal.wait_for("/200")
        terminal.wait_for("completed, 200 of 200, 1 failed")
        assert terminal.wait_for_end() == 0


def test_a_batch_without_waiting(server: Server, tmp_path: Path) -> None:
    """Made, listed, shown, cancelled; its answers are had later."""
    made = linarite(server.home, "batch", "run", str(asked(tmp_path, model="slow")))
    assert made.returncode == 0, made.stderr
    batch_id = made.stdout.strip()
    assert batch_id.startswith("batch_")
    assert f"linarite batch show {batch_id}" in made.stderr
    listed = linarite(server.home, "batch", "list", "-o", "json")
    assert batch_id in [each["id"] for each in json.loads(listed.stdout)]
    assert batch_id in linarite(server.home, "batch", "list", "--max-entries", "1").stdout
    assert "/v1/chat/completions" in linarite(server.home, "batch", "show", batch_id).stdout
    cancelled = linarite(server.home, "batch", "cancel", batch_id)
    assert "cancelling" in cancelled.stdout
    ended = linarite(server.home, "batch", "show", batch_id, "--watch", "--to", str(tmp_path))
    assert ended.returncode == 1
    assert f"{batch_id}: cancelled, 20 of 20" in ended.stdout
    told = [each["error"] for each in map(json.loads, _lines(tmp_path / f"{batch_id}_error.jsonl"))]
    assert "batch_cancelled" in {each["code"] for each in told if each}


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines()


def test_what_is_wrong_with_a_file(server: Server, tmp_path: Path) -> None:
    """With the line and what to do; the exit code says so too."""
    done = linarite(server.home, "batch", "run", str(asked(tmp_path, model="absent")), "--watch")
    assert done.returncode == 1
    assert "line 1: model_not_found:" in done.stderr
    assert "failed, 0 of 0" in done.stdout
    other = tmp_path / "other.jsonl"
    other.write_text("custom_id,url\n")
    done = linarite(server.home, "batch", "run", str(other))
    assert (done.returncode, '"url"' in done.stderr) == (1, True)


def test_what_is_not_there(server: Server) -> None:
    """An absent batch has an exit code of its own."""
    done = linarite(server.home, "batch", "show", "batch_absent")
    assert done.returncode == 3
    assert "error: No batch found with id 'batch_absent'" in done.stderr


def test_another_server_wants_its_key(server: Server) -> None:
    """The key of the one that runs here goes nowhere else."""
    done = linarite(server.home, "batch", "list", "--endpoint", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "wants a key of the account" in done.stderr
    done = linarite(
        *(server.home, "batch", "list", "--endpoint", server.endpoint, "--key", "env:KEY"),
        KEY=server.key,
    )
    assert done.returncode == 0, done.stderr
    token = linarite(
        *(server.home, "batch", "list", "--endpoint", server.endpoint, "--token", "env:TOKEN"),
        TOKEN="a.b.c",
    )
    assert (token.returncode, "token" in token.stderr) == (1, True)  # it came, and is no good one
    both = linarite(server.home, "batch", "list", "--key", "k", "--token", "t")
    assert (both.returncode, "exclude each other" in both.stderr) == (1, True)
