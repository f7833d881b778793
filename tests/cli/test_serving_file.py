from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.cli.serving_file import (
    ServedDeployment,
    ServingFile,
    lives,
    read_serving_file,
    write_serving_file,
)
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = ServingFile(
    endpoint="http://127.0.0.1:8080",
    openai_v1="http://127.0.0.1:8080/openai/v1/",
    api_key="the-key",
    api_version="2024-10-21",
    deployments=[ServedDeployment("d", "m", "Ready", "", ["chat/completions"])],
    ca_file=None,
    pid=os.getpid(),
    home="/data",
    started_at="2026-01-01T00:00:00+00:00",
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The file comes back as it was, and other programs can read it as JSON."""
    path = tmp_path / "new" / "serving.json"
    write_serving_file(path, CONTENT)
    assert read_serving_file(path) == CONTENT
    assert json.loads(path.read_text())["deployments"][0]["operations"] == ["chat/completions"]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """It holds a key, so its mode is 0600, also where a readable file was before."""
    path = tmp_path / "serving.json"
    path.write_text("{}")
    path.chmod(0o644)
    write_serving_file(path, CONTENT)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_reader_never_sees_half_of_it(tmp_path: Path) -> None:
    """While it is written again and again, every reader sees one whole version."""
    path = tmp_path / "serving.json"
    versions = [
        msgspec.structs.replace(CONTENT, home="x" * size, api_key="k" * size) for size in (1, 9000)
    ]
    write_serving_file(path, versions[0])
    done = threading.Event()

    def write() -> None:
        for round_number in range(100):
            write_serving_file(path, versions[round_number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert read_serving_file(path) in versions
    writer.join()
    assert [entry.name for entry in tmp_path.iterdir()] == ["serving.json"]


def test_a_server_that_is_gone_is_noticed(tmp_path: Path) -> None:
    """A file left behind by a killed server is refused, with the way to start one."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    path = tmp_path / "serving.json"
    write_serving_file(path, msgspec.structs.replace(CONTENT, pid=process.pid))
    with pytest.raises(SetupError, match=r"is gone\. Start one with: linarite up"):
        read_serving_file(path)


@pytest.mark.parametrize("text", ["", "{}", '{"endpoint": 1}', "[]"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    """The message names the file."""
    path = tmp_path / "serving.json"
    path.write_text(text)
    with pytest.raises(SetupError, match=r"serving\.json is no serving file"):
        read_serving_file(path)


def test_no_file_means_no_server(tmp_path: Path) -> None:
    """The message says how to start one."""
    with pytest.raises(SetupError, match="Start one with: linarite up"):
        read_serving_file(tmp_path / "serving.json")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The message names the place and the option that chooses another."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="--ready-file"):
        write_serving_file(tmp_path / "file" / "ready.json", CONTENT)


def test_its_text_form_hides_the_key() -> None:
    """A log line about it can't leak the key."""
    assert "the-key" not in repr(CONTENT)


def test_who_lives() -> None:
    """We do, and numbers that no process can have do not."""
    assert lives(os.getpid())
    assert lives(1)
    assert not lives(0)
    assert not lives(-1)
