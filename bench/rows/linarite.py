"""Linarite as people run it: key check, request record and metrics are on."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.fake_upstream import MODEL
from bench.load.target import Target
from bench.peers import Unavailable
from bench.processes import last_words, start
from bench.rows.process_row import ProcessRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.processes import Started

READY_S = 120.0
READY = "Ready"

CONFIG = """\
[[deployments]]
name = "{model}"
model = "{model}"
instance = "{model}"

[instances.{model}]
engine = "upstream"
options.base_url = "http://127.0.0.1:{upstream_port}/v1"
options.parallel_requests = 2048
options.keep_alive_s = 60
"""


class LinariteRow(ProcessRow):
    """One deployment in front of the fake upstream, by the `upstream` engine."""

    def __init__(self, launcher: Sequence[str] = ("-m", "linarite.main")) -> None:
        """`launcher`: Python's arguments that run the command line."""
        super().__init__("Linarite")
        self._launcher = launcher

    async def start(self, folder: Path, upstream_port: int, cores: set[int]) -> None:
        """Start it and wait for the deployment. Raises Unavailable."""
        config = CONFIG.format(model=MODEL, upstream_port=upstream_port)
        self._started = launch(folder / "linarite", config, cores=cores, launcher=self._launcher)
        self._target = await ready_target(folder / "linarite", self._started, MODEL)


def launch(
    home: Path,
    config: str,
    *,
    port: int = 0,
    cores: set[int] | None = None,
    launcher: Sequence[str] = ("-m", "linarite.main"),
) -> Started:
    """Start a server whose data is in `home`; what an earlier one left there stays."""
    home.mkdir(exist_ok=True)
    (home / "bench.toml").write_text(config, encoding="utf-8")
    (home / "ready.json").unlink(missing_ok=True)
    files = ["--config", str(home / "bench.toml"), "--ready-file", str(home / "ready.json")]
    return start(
        [sys.executable, *launcher, "up", *files, "--port", str(port)],
        home / "bench.log",
        cores=cores,
        environment={"LINARITE_HOME": str(home)},
        without="LINARITE_",
    )


async def ready_target(home: Path, started: Started, deployment: str) -> Target:
    """Wait until the server says it serves. Raises Unavailable when it can't."""
    ready = home / "ready.json"
    give_up_at = time.monotonic() + READY_S
    while not ready.exists():
        if not started.alive() or time.monotonic() > give_up_at:
            raise Unavailable(f"did not become ready; last words: {last_words(started)}")
        await asyncio.sleep(0.01)
    serving = json.loads(ready.read_text(encoding="utf-8"))
    for served in serving["deployments"]:
        if served["name"] == deployment and served["state"] != READY:
            raise Unavailable(f"deployment {deployment} is {served['state']}: {served['detail']}")
    return target_of(serving["endpoint"], serving["api_key"], deployment)


def target_of(endpoint: str, key: str, deployment: str) -> Target:
    """The chat operation of a deployment, as clients of Azure OpenAI call it."""
    port = urlsplit(endpoint).port
    assert port is not None
    path = f"/openai/deployments/{deployment}/chat/completions?api-version=2024-10-21"
    return Target(port, path, deployment, {"api-key": key})
