"""An engine dies under load: what fails, what does not, and how it comes back."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.faults.processes import children_of, until
from tests.serving import serving, start_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

pytestmark = pytest.mark.real_model

SETTINGS = """
[[deployments]]
name = "doomed"
model = "smollm2-135m-instruct"
instance = "doomed"

[[deployments]]
name = "other"
model = "smollm2-135m-instruct"
instance = "other"

[instances.doomed]
model = "smollm2-135m-instruct"
options = { parallel_requests = 4, context_tokens = 1024, threads = 1, wait_policy = "passive" }

[instances.other]
model = "smollm2-135m-instruct"
options = { parallel_requests = 2, context_tokens = 1024, threads = 1, wait_policy = "passive" }
"""


@pytest.fixture
def server(tmp_path: Path, model_home: Path) -> Iterator[Server]:
    """Two engines with the same model, each a process of its own."""
    (tmp_path / "models").symlink_to(model_home / "models")
    yield from serving(tmp_path, SETTINGS)


def engine_process(server: Server, instance: str) -> int | None:
    """The process id of an instance's engine, None while there is none."""
    found = [pid for pid, line in children_of(server.process.pid).items() if instance in line]
    return found[0] if found else None


def ask(server: Server, deployment: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - any JSON
    """A chat request that takes a while."""
    body = {"messages": [{"role": "user", "content": "Tell a long story."}], "max_tokens": 200}
    return httpx.post(
        f"{server.endpoint}/openai/deployments/{deployment}/chat/completions",
        params={"api-version": "2024-10-21"},
        headers={"api-key": server.key},
        json=body | more,
        timeout=120,
    )


def failed_properly(answer: httpx.Response) -> bool:
    """A 503 with Retry-After or a 500, in Azure's shape; or a stream whose last event says so."""
    if answer.headers["content-type"].startswith("text/event-stream"):
        last = answer.text.rstrip("\n").split("\n\n")[-1]
        return bool(json.loads(last.removeprefix("data: ")).get("error"))
    if answer.status_code == 503:
        return "retry-after" in answer.headers and bool(answer.json()["error"]["message"])
    return answer.status_code == 500 and bool(answer.json()["error"]["message"])


def test_only_its_own_requests_fail(server: Server) -> None:
    """Killed under load: its requests fail properly, others never notice, it serves again."""
    others: list[int] = []
    done = threading.Event()

    def keep_asking_the_other() -> None:
        while not done.is_set():
            others.append(ask(server, "other", max_tokens=5).status_code)

    with ThreadPoolExecutor(8) as pool:
        bystander = pool.submit(keep_asking_the_other)
        plain = [pool.submit(ask, server, "doomed") for _ in range(3)]
        streamed = [pool.submit(ask, server, "doomed", stream=True) for _ in range(3)]
        until(lambda: len(others) >= 2)
        process = engine_process(server, "doomed")
        assert process is not None
        os.kill(process, signal.SIGKILL)
        answers = [future.result() for future in plain + streamed]
        until(lambda: ask(server, "doomed", max_tokens=2).status_code == 200)
        done.set()
        bystander.result()
    assert all(failed_properly(answer) for answer in answers), [a.text[-300:] for a in answers]
    assert set(others) == {200}
    assert engine_process(server, "doomed") != process


def broken_off(server: Server) -> list[tuple[int, int]]:
    """Prompt and completion tokens of the newest request that did not end well, from its record."""
    query = (
        "SELECT prompt_tokens, completion_tokens FROM request_records WHERE finish IN (?, ?)"
        " ORDER BY started_at_ns DESC LIMIT 1"
    )
    with closing(sqlite3.connect(f"file:{server.home}/requests.db?mode=ro", uri=True)) as records:
        return records.execute(query, ("client_left", "failed")).fetchall()


@pytest.mark.parametrize("how", ["the client leaves", "the engine is killed"])
def test_a_stream_that_breaks_off_is_recorded_with_its_tokens(server: Server, how: str) -> None:
    """What was computed until then is in the durable record."""
    body = {"messages": [{"role": "user", "content": "Tell a long story."}], "stream": True}
    with httpx.stream(
        "POST",
        f"{server.endpoint}/openai/v1/chat/completions",
        headers={"api-key": server.key},
        json=body | {"model": "doomed", "max_tokens": 900},
        timeout=120,
    ) as answer:
        events = answer.iter_lines()
        for _ in range(12):
            next(events)
        if how == "the engine is killed":
            process = engine_process(server, "doomed")
            assert process is not None
            os.kill(process, signal.SIGKILL)
            for _ in events:
                pass
    until(lambda: bool(broken_off(server)))
    prompt_tokens, completion_tokens = broken_off(server)[0]
    assert prompt_tokens > 20
    assert completion_tokens >= 4


def test_while_it_is_down_requests_are_told_when_to_come_back(server: Server) -> None:
    """Between death and recovery the answer is 503 with Retry-After, and readyz says why."""
    process = engine_process(server, "doomed")
    assert process is not None
    os.kill(process, signal.SIGKILL)
    until(lambda: httpx.get(f"{server.endpoint}/readyz").status_code == 503)
    unready = httpx.get(f"{server.endpoint}/readyz").json()
    states = {item["name"]: item["state"] for item in unready["deployments"]}
    assert states["other"] == "Ready"
    until(lambda: httpx.get(f"{server.endpoint}/readyz").status_code == 200)


def test_engines_die_with_a_killed_server(tmp_path: Path, model_home: Path) -> None:
    """Killing the server outright leaves no engine behind."""
    (tmp_path / "models").symlink_to(model_home / "models")
    server = start_server(tmp_path, SETTINGS)
    engines = children_of(server.process.pid)
    assert len(engines) >= 2
    server.kill()
    until(lambda: not any(alive(pid) for pid in engines))


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - /proc is no path of ours
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
