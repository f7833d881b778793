"""The benchmark runs from end to end with tiny counts; its figures are not judged here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.processes import Started

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Runs the benchmark quickly; gives what it printed and its results."""

    def run(*arguments: str) -> tuple[str, dict[str, Any]]:
        file = tmp_path_factory.mktemp("bench") / "results.json"
        done = subprocess.run(
            [sys.executable, "-m", "bench", "--quick", "--json", str(file), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, json.loads(file.read_text())["results"]

    return run


@pytest.fixture(scope="module")
def measured(bench: Callable[..., tuple[str, dict[str, Any]]]) -> tuple[str, dict[str, Any]]:
    """All parts that need no model, in one run; one of its rows is nothing that can be run."""
    parts = ("--only", "gateway", "--only", "memory", "--only", "resources")
    return bench(*parts, "--rows", "linarite,missing")


def test_gateway_and_memory_tables(measured: tuple[str, dict[str, Any]]) -> None:
    """Every table of the gateway and of memory is printed, from answers that all were good."""
    printed, results = measured
    for title in (
        "### Plain answers",
        "### Latency in milliseconds",
        "### 16 streams at once",
        "### 32 streams at once",
        "### Start-up and memory",
        "### Goals",
    ):
        assert title in printed
    upstream, linarite = results["gateway"]
    assert upstream["name"] == "upstream itself"
    assert linarite["name"] == "Linarite"
    for row in (upstream, linarite):
        assert min(row["rounds"]["requests_per_s"]) > 0
        assert sum(row["rounds"]["closed_errors"]) == 0
        assert sum(row["rounds"]["streams_32_broken_streams"]) == 0
    assert results["footprint"]["idle_bytes"] > 0
    assert results["footprint"]["points"]


def test_resources_table(measured: tuple[str, dict[str, Any]]) -> None:
    """What the API made and its copies are asked for; both servers answer everything."""
    printed, results = measured
    assert "### Control plane with many resources" in printed
    few, many = results["resources"]
    for row in (few, many):
        assert len(row["rounds"]["get_s"]) == 3
        assert min(row["rounds"]["put_s"]) > 0
    assert many["name"] == "100 resources"


def test_missing_peers_are_told(measured: tuple[str, dict[str, Any]]) -> None:
    """A gateway that can't be run is named with the reason, and the others are measured."""
    printed, results = measured
    assert "Not measured: missing: unknown" in printed
    assert len(results["gateway"]) == 2


@pytest.mark.real_model
@pytest.mark.usefixtures("model_home")
def test_engine_table(bench: Callable[..., tuple[str, dict[str, Any]]]) -> None:
    """A real model answers through Linarite and straight, and both speeds are in the table."""
    printed, results = bench("--only", "engine")
    assert "### Engine tax: smollm2-135m-instruct on llamacpp" in printed
    assert "### Engine tax: smollm2-135m-instruct on openvino" in printed
    assert {cell["engine"] for cell in results["engine"]} == {"llamacpp", "openvino"}
    for cell in results["engine"]:
        assert min(cell["through"]["rounds"]["tokens_per_s"]) > 0
        assert min(cell["straight"]["rounds"]["tokens_per_s"]) > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_benchmark_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    """In the middle of its load, with upstream and gateway running: all end, scratch is swept."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", "--quick", "--only", "gateway", "--rows", "linarite"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "round 1" in line:
            break
    children = Started(process, tmp_path).tree()[1:]
    assert len(children) >= 2
    process.send_signal(number)
    assert process.stderr.read().splitlines()[-1].startswith("Stopped")
    assert process.wait(30) == 128 + number
    process.stderr.close()
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []
    assert list(tmp_path.iterdir()) == []
