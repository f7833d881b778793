from __future__ import annotations

import json
import signal
import stat
import time
from typing import TYPE_CHECKING

import pytest
from openai import AzureOpenAI

from tests.cli.terminal import WAIT_S, linarite
from tests.serving import SIMULATED, start_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server


def test_the_ready_file_says_how_to_use_the_server(server: Server) -> None:
    """Everything a script needs, the same as in the data folder, for the owner's eyes only."""
    ready = server.home / "ready.json"
    assert ready.read_text() == (server.home / "serving.json").read_text()
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600
    assert server.ready["pid"] == server.process.pid
    assert server.ready["home"] == str(server.home)
    assert server.ready["openai_v1"] == f"{server.endpoint}/openai/v1/"
    assert server.ready["https_endpoint"].startswith("https://127.0.0.1:")
    assert server.ready["ca_file"] == str(server.home / "ca" / "ca.pem")
    states = [(each["name"], each["state"]) for each in server.ready["deployments"]]
    assert states == [("slow", "Ready"), ("gpt-4o", "Ready"), ("vectors", "Ready")]
    assert server.ready["deployments"][2]["operations"] == ["embeddings"]


def test_the_log_of_a_server_holds_no_key(server: Server) -> None:
    """Without a terminal, what is printed names the file that holds the key, not the key."""
    named = str(server.home / "serving.json")
    deadline = time.monotonic() + WAIT_S
    while named not in server.said and time.monotonic() < deadline:  # printed after it is written
        time.sleep(0.05)
    assert named in server.said
    assert server.key not in server.said


def test_a_clean_stop_takes_the_serving_file_away(tmp_path: Path) -> None:
    """Ctrl-C ends with success; afterwards no command takes the server for running."""
    server = start_server(tmp_path, SIMULATED, forked=False)
    assert json.loads((tmp_path / "serving.json").read_text())["pid"] == server.process.pid
    assert server.stop() == 0, server.said
    assert not (tmp_path / "serving.json").exists()


@pytest.mark.parametrize(("apart_s", "tokens", "code"), [(0.0, 10, 0), (2.0, 40, 130)])
def test_a_second_signal_ends_at_once_if_it_is_another(
    tmp_path: Path, apart_s: float, tokens: int, code: int
) -> None:
    """A stop told twice, as supervisors do, drains; a person's second Ctrl-C does not wait."""
    slow = SIMULATED.replace(
        "seed = 1", f"seed = 1, tokens_per_second = 5, reply_tokens = {tokens}"
    )
    server = start_server(tmp_path, slow, forked=False)
    client = AzureOpenAI(
        azure_endpoint=server.endpoint, api_key=server.key, api_version="2024-10-21", max_retries=0
    )
    question = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Write."}], stream=True
    )
    next(iter(question))
    server.process.send_signal(signal.SIGTERM)
    time.sleep(apart_s)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(WAIT_S) == code


def test_what_an_earlier_server_left_is_taken_away(tmp_path: Path) -> None:
    """Whoever waits for a file must not be sent to a server that is gone."""
    left = (tmp_path / "serving.json", tmp_path / "told.json")
    for file in left:
        file.write_text("{}")
    loading = SIMULATED.replace("seed = 1", "seed = 1, load_s = 600")
    told = ("--ready-file", str(left[1]))
    server = start_server(tmp_path, loading, forked=False, arguments=told, wait=False)
    try:
        deadline = time.monotonic() + WAIT_S
        while "listening" not in server.said and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "listening" in server.said
        assert not any(file.exists() for file in left)
    finally:
        server.kill()


def test_a_port_in_use_is_one_line(server: Server, tmp_path: Path) -> None:
    """The message names the port's setting; there is no traceback."""
    port = server.endpoint.rpartition(":")[2]
    (tmp_path / "linarite.toml").write_text(SIMULATED)
    done = linarite(tmp_path, "up", "--port", port)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(errors) == 1, done.stderr
    assert errors[0].startswith("error: ")
    assert port in errors[0]


def test_nothing_is_downloaded_for_a_server_that_cannot_start(
    server: Server, tmp_path: Path
) -> None:
    """A port or a data folder in use is told before models are brought, not after."""
    (tmp_path / "no.toml").touch()
    command = ("up", "--minimal", "--config", str(tmp_path / "no.toml"), "--port")
    port = server.endpoint.rpartition(":")[2]
    for home, wanted, words in (
        (tmp_path, port, "Can't listen"),
        (server.home, "0", "Another Linarite server"),
    ):
        done = linarite(home, *command, wanted)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error: {words}"), done.stderr
        assert done.stderr.count("\n") == 1
        assert not (home / "models").exists()


WRONG_OPTIONS = [
    ("llamacpp", "context_token = 9", ("options:", "`context_token`", "context_tokens")),
    ("llamacpp", "parallel_requests = 0", ("options.parallel_requests", ">= 1", "It is: ")),
    ("simulator", "jitter = 2", ("options.jitter", "<= 1", "It is: ")),
    ("simulator", "replay_folder = '/no/such'", ("options.replay_folder", "is no folder")),
    ("simulator", "wraps = { engine = 'vllm' }", ("options.wraps.engine", "'vllm'", "llamacpp")),
    (
        "simulator",
        "wraps = { engine = 'llamacpp', options = { threads = -1 } }",
        ("options.wraps.options.threads", ">= 0"),
    ),
    ("upstream", "base_url = 5", ("options.base_url", "it is: ")),
]


@pytest.mark.parametrize(("engine", "option", "words"), WRONG_OPTIONS, ids=str)
def test_a_mistake_in_engine_options_refuses_the_start(
    tmp_path: Path, engine: str, option: str, words: tuple[str, ...]
) -> None:
    """One line names the key and what is right; no engine is started, and none tried again."""
    settings = f"[instances.wrong]\nengine = '{engine}'\n[instances.wrong.options]\n{option}\n"
    (tmp_path / "linarite.toml").write_text(SIMULATED + settings)
    done = linarite(tmp_path, "up", "--port", "0")
    assert done.returncode == 1
    assert done.stderr.startswith("error: instances.wrong.options"), done.stderr
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


def test_engine_options_are_looked_at_before_models_are_brought(tmp_path: Path) -> None:
    """As is everything else that would stop the server."""
    (tmp_path / "linarite.toml").write_text("[instances.wrong.options]\nthread = 1\n")
    done = linarite(tmp_path, "up", "--port", "0", "--minimal")
    assert done.returncode == 1
    assert done.stderr.startswith("error: instances.wrong.options"), done.stderr
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_a_folder_that_cannot_be_had_is_one_line(tmp_path: Path, folder: str) -> None:
    """There is no traceback, and the message names the folder and its setting."""
    (tmp_path / "file").touch()
    home = tmp_path / folder
    done = linarite(tmp_path, "up", "--port", "0", LINARITE_HOME=str(home))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: The data folder {home}"), done.stderr
    assert "LINARITE_HOME" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_ready_file_that_cannot_be_written_ends_the_server(tmp_path: Path) -> None:
    """Whoever waits for the file learns why it will not come."""
    (tmp_path / "linarite.toml").write_text(SIMULATED)
    place = tmp_path / "linarite.toml" / "ready.json"
    done = linarite(tmp_path, "up", "--port", "0", "--ready-file", str(place))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: The serving file {place} can't be")
    assert not (tmp_path / "serving.json").exists()


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Nothing is started, and the message says which file."""
    done = linarite(tmp_path, "up", "--config", "missing.toml")
    assert done.returncode == 1
    assert "missing.toml does not exist" in done.stderr
    assert list(tmp_path.iterdir()) == []
