"""`linarite netbed`: what a person does with it, from two terminals."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linarite.cli.netbed.records import kept
from tests.serving import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

LINARITE = [sys.executable, "-m", "linarite.main"]
ENVIRONMENT = clean_environment() | {"COLUMNS": "140"}
START_S = 60
BY_NAME = "https://demo.openai.linarite.internal"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`linarite netbed …`."""
    return subprocess.run(
        [*LINARITE, "netbed", *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    """The demo, once it has drawn its map."""
    if [record for record in kept() if record.home and record.owner_lives]:
        pytest.skip("a person's demo runs on this machine, and these commands would find it")
    folder = tmp_path_factory.mktemp("demo")
    drawn = folder / "drawn"
    # A person's own settings, in the folder that it is started from, are not the demo's.
    (folder / "linarite.toml").write_text('[server]\nhost = "127.0.0.1"\n')
    with drawn.open("wb") as output:
        process = subprocess.Popen(
            [*LINARITE, "netbed", "up"], env=ENVIRONMENT, stdout=output, cwd=folder
        )
    try:
        deadline = time.monotonic() + START_S
        while "Ctrl-C" not in drawn.read_text():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for host in ("application", "partner", "public", "swedencentral", "eastus"):
            assert f" {host} " in drawn.read_text()
        assert drawn.read_text().count(" served") == 5
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@pytest.mark.slow
def test_a_closed_side_shows_on_the_map(demo: subprocess.Popen[bytes]) -> None:
    """The owner closes it on the server's host; every side is told so, and the models go on."""
    assert demo.poll() is None
    change = "properties.publicNetworkAccess="
    update = ["exec", "server", "--", *LINARITE, "account", "update", "demo", "--set"]
    assert run(*update, f"{change}Disabled").returncode == 0
    closed = run("status").stdout
    assert run(*update, f"{change}Enabled").returncode == 0
    assert " served" not in closed
    assert closed.count("403 Public access") == 5, closed
    assert closed.count("models there") == 3
    assert run("status").stdout.count(" served") == 5


@pytest.mark.slow
def test_a_program_runs_as_a_client(demo: subprocess.Popen[bytes]) -> None:
    """With the endpoint and key in its environment, by name too, and its own exit code."""
    assert demo.poll() is None
    program = (
        "import openai\n"
        "answer = openai.AzureOpenAI(api_version='2024-10-21').chat.completions.create(\n"
        "    model='gpt-4o', messages=[{'role': 'user', 'content': 'hello'}])\n"
        "print(answer.choices[0].message.content)\n"
        "raise SystemExit(7)\n"
    )
    done = run("exec", "application", "--", sys.executable, "-c", program)
    assert done.returncode == 7, done.stderr
    assert done.stdout.strip()
    named = program.replace("AzureOpenAI(", f"AzureOpenAI(azure_endpoint='{BY_NAME}', ")
    for host in ("application", "public"):
        done = run("exec", host, "--", sys.executable, "-c", named)
        assert done.returncode == 7, done.stderr
    nowhere = run("exec", "nowhere", "--", "true")
    assert nowhere.returncode == 1
    assert "There is no host 'nowhere'. Hosts: server, application" in nowhere.stderr


@pytest.mark.slow
def test_down_ends_it(demo: subprocess.Popen[bytes]) -> None:
    """The other terminal's command ends well, and hosts and data are gone."""
    [record] = [record for record in kept() if record.pid == demo.pid]
    assert Path(record.home).is_dir()
    assert run("down").stdout == "The hosts are gone.\n"
    assert demo.wait(60) == 0
    assert not Path(record.home).exists()
    assert not list(Path("/run/netns").glob(f"linarite-{record.name}-*"))
    assert "No demo runs on this machine" in run("status").stderr
