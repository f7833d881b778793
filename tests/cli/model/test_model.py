from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from linarite.cli.model import build
from linarite.hosting.models import gguf_writer as gguf
from linarite.hosting.models.store import ModelStore
from tests.hosting.models import gguf_files

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.models.progress import Progress
    from linarite.hosting.models.wanted import Wanted


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """An empty store."""
    return ModelStore(tmp_path / "models")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A GGUF file to add."""
    return gguf_files.file(tmp_path / "Tiny.gguf")


def _run(store: ModelStore, *arguments: object) -> Result:
    def bring(wanted: Wanted, progress: Progress) -> Manifest:
        return store.add(wanted.source, progress=progress)

    return CliRunner().invoke(
        build(lambda _: store, lambda _: bring), [str(each) for each in arguments]
    )


def test_add_list_show_remove(store: ModelStore, source: Path) -> None:
    """The four commands do what they say, in the words a person sees."""
    added = _run(store, "add", source, "--name", "mine")
    assert added.exit_code == 0
    assert "mine is here" in added.stdout
    assert "mine: copying" in added.stderr
    listed = _run(store, "list").stdout
    assert "mine" in listed
    assert "chat, completion" in listed
    assert "Can be added: smollm2-135m-instruct (92.9 MB)" in listed
    shown = _run(store, "show", "mine").stdout
    assert hashlib.sha256(source.read_bytes()).hexdigest() in shown
    assert "2,048 tokens" in shown
    assert _run(store, "remove", "mine").exit_code == 0
    assert "No models here yet" in _run(store, "list").stdout


def test_json_is_for_programs(store: ModelStore, source: Path) -> None:
    """With --json, list and show print JSON and nothing else."""
    _run(store, "add", source)
    listing = json.loads(_run(store, "list", "--json").stdout)
    assert [model["name"] for model in listing["models"]] == ["tiny"]
    assert "multilingual-e5-small" in {model["name"] for model in listing["available"]}
    assert listing["damaged"] == []
    shown = json.loads(_run(store, "show", "tiny", "--json").stdout)
    assert shown["capabilities"]["chat_completion"] is True
    assert shown["path"] == str(store.verified_path("tiny"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "nothing"), "linarite model add FILE.gguf --name nothing"),
        (("remove", "nothing"), "There is no model named 'nothing'"),
        (("add", "nothing"), "neither a file nor a model of the catalogue"),
        (("add", "/nowhere/x.gguf"), "isn't there"),
        (("add", "oci://broken"), "oci://REGISTRY"),
    ],
)
def test_errors_are_one_line(store: ModelStore, arguments: tuple[str, ...], words: str) -> None:
    """What fails says why on one line of stderr, and ends with status 1."""
    result = _run(store, *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_one_failure_does_not_stop_the_others(store: ModelStore, source: Path) -> None:
    """Adding several, those that can be had are added; the status tells that one was not."""
    result = _run(store, "add", "/nowhere/x.gguf", source)
    assert result.exit_code == 1
    assert [manifest.name for manifest in store.list()] == ["tiny"]


def test_one_name_for_two_models(store: ModelStore, source: Path) -> None:
    """--name with several models is a mistake that is told before anything happens."""
    result = _run(store, "add", source, source, "--name", "x")
    assert result.exit_code == 2
    assert store.list() == []


def test_damaged_model_is_shown(store: ModelStore, source: Path, tmp_path: Path) -> None:
    """A model whose manifest is broken is listed as such, with what to do."""
    _run(store, "add", source)
    (tmp_path / "models" / "tiny" / "manifest.json").write_text("")
    assert "damaged: remove it, add it again" in _run(store, "list").stdout


@pytest.mark.parametrize("command", ["list", "add", "show", "remove"])
def test_help_has_an_example(store: ModelStore, command: str) -> None:
    """Every command's help shows a line to type."""
    assert f"linarite model {command}" in _run(store, command, "--help").stdout


def test_no_colour_codes_in_a_pipe(store: ModelStore, source: Path) -> None:
    """Output that goes to a file or a program carries no escape sequences."""
    results = [_run(store, "add", source), _run(store, "list"), _run(store, "show", "tiny")]
    assert not any("\x1b" in result.output for result in results)


def test_versions_and_their_lives(store: ModelStore, tmp_path: Path) -> None:
    """Added beside each other, planned with `set`, and told apart in lists."""
    for version in ("1", "2"):
        named = {**gguf_files.LLAMA, "general.name": gguf.string(f"Tiny {version}")}
        weights = gguf_files.file(tmp_path / f"{version}.gguf", named)
        added = _run(store, "add", weights, "--name", "mine", "--model-version", version)
        assert f"mine is here: version {version}" in added.stdout
    assert "1 (default)" in _run(store, "list").stdout
    dates = ("--deprecated", "2001-01-31", "--retired", "2999-06-30", "--then", "2")
    told = _run(store, "set", "mine", "--model-version", "1", "--stage", "legacy", *dates)
    assert told.stdout == "mine 1: deprecated, until 2999-06-30, then 2\n"
    assert _run(store, "set", "mine", "--model-version", "2", "--default").exit_code == 0
    listing = json.loads(_run(store, "list", "--json").stdout)
    assert listing["default_versions"] == {"mine": "2"}
    shown = json.loads(_run(store, "show", "mine", "--model-version", "1", "--json").stdout)
    assert shown["lifecycle"]["stage"] == "Legacy"
    assert shown["lifecycle"]["retired_at"] == "2999-06-30T00:00:00Z"
    never = _run(store, "set", "mine", "--model-version", "1", "--retired", "never")
    assert "until" not in never.stdout
    assert "several versions: 1, 2" in _run(store, "remove", "mine").stderr
    assert _run(store, "remove", "mine", "--all-versions").exit_code == 0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (("--retired", "soon"), "--retired takes a date such as 2027-01-31"),
        (("--deprecated", "2030-01-01", "--retired", "2029-01-01"), "--deprecated is after"),
        (("--model-version", "7"), "no version '7'"),
    ],
)
def test_lives_that_cannot_be(
    store: ModelStore, source: Path, said: tuple[str, ...], words: str
) -> None:
    """What was typed is named, and nothing changes."""
    before = store.add_file(source, name="mine")
    done = _run(store, "set", "mine", *said)
    assert done.exit_code == 1
    assert words in done.stderr
    assert store.get("mine") == before
