"""Several versions of a model side by side, and stores that knew but one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.model_lifecycle import Lifecycle, Replacement
from linarite.hosting.models import gguf_writer as gguf
from linarite.hosting.models.errors import (
    ModelAmbiguous,
    ModelExists,
    ModelNotFound,
    ModelTampered,
    ModelVersionInvalid,
)
from linarite.hosting.models.store import ModelStore
from tests.hosting.models import gguf_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """An empty store."""
    return ModelStore(tmp_path / "models")


def weights(folder: Path, number: int) -> Path:
    """A file that differs from those of other numbers."""
    named = {**gguf_files.LLAMA, "general.name": gguf.string(f"Tiny {number}")}
    return gguf_files.file(folder / f"tiny-{number}.gguf", named)


def old_layout(store: ModelStore, folder: Path, version: str = "1") -> None:
    """The store as an earlier release left it: the only version right in the model's folder."""
    manifest = store.get("tiny")
    place = store.verified_path("tiny").parent
    earlier = msgspec.structs.replace(manifest, version=version, lifecycle=Lifecycle())
    (place / "manifest.json").write_bytes(msgspec.json.encode(earlier))
    place.rename(folder / "kept")
    shutil.rmtree(folder / "tiny")
    (folder / "kept").rename(folder / "tiny")


def test_versions_lie_side_by_side(store: ModelStore, tmp_path: Path) -> None:
    """Each is found by its version; where none is named, the first stays the default."""
    first = store.add_file(weights(tmp_path, 1), name="tiny", version="2024-07-18")
    second = store.add_file(weights(tmp_path, 2), name="tiny", version="2025-01-01")
    assert store.get("tiny") == first
    assert store.get("tiny", "2025-01-01") == second
    assert store.list() == [first, second]
    assert store.versions() == {"tiny": ["2024-07-18", "2025-01-01"]}
    paths = {store.verified_path("tiny", each).read_bytes() for each in store.versions()["tiny"]}
    assert paths == {weights(tmp_path, 1).read_bytes(), weights(tmp_path, 2).read_bytes()}
    with pytest.raises(ModelNotFound, match=r"no version '3'.*2024-07-18, 2025-01-01"):
        store.get("tiny", "3")


def test_the_default_version_is_changed_on_demand(store: ModelStore, tmp_path: Path) -> None:
    """When a version is added as the default, or added once more so; never by itself."""
    for number in (1, 2, 3):
        store.add(
            str(weights(tmp_path, number)), name="tiny", version=str(number), default=number == 2
        )
    assert store.get("tiny").version == "2"
    store.add(str(weights(tmp_path, 3)), name="tiny", version="3", default=True)
    assert store.get("tiny").version == "3"
    store.remove("tiny", "3")
    assert store.get("tiny").version == "2"


def test_another_file_needs_another_version(store: ModelStore, tmp_path: Path) -> None:
    """The refusal names all ways out; versions that differ in case alone are one."""
    store.add_file(weights(tmp_path, 1), name="tiny", version="v1")
    for version in ("v1", "V1"):
        with pytest.raises(ModelExists, match=r"version v1.*--model-version"):
            store.add_file(weights(tmp_path, 2), name="tiny", version=version)


@pytest.mark.parametrize("version", ["", "..", ".hidden", "a/b", "x" * 65, "manifest.json", "ä"])
def test_versions_that_are_no_folder(store: ModelStore, tmp_path: Path, version: str) -> None:
    """No version leads out of the model's folder."""
    if version:
        with pytest.raises(ModelVersionInvalid):
            store.add_file(weights(tmp_path, 1), name="tiny", version=version)
    else:
        assert store.add_file(weights(tmp_path, 1), name="tiny", version=version).version == "1"


def test_removing_versions(store: ModelStore, tmp_path: Path) -> None:
    """One that is named, all when told so, and never several by mistake."""
    for number in (1, 2, 3):
        store.add_file(weights(tmp_path, number), name="tiny", version=str(number))
    with pytest.raises(ModelAmbiguous, match="1, 2, 3"):
        store.remove("tiny")
    store.remove("tiny", "2")
    assert store.versions() == {"tiny": ["1", "3"]}
    store.remove("tiny", all_versions=True)
    assert store.list() == []
    assert not (tmp_path / "models" / "tiny").exists()


def test_a_lifecycle_is_kept(store: ModelStore, tmp_path: Path) -> None:
    """What is said of a version is read back by another process's store."""
    manifest = store.add_file(weights(tmp_path, 1), name="tiny")
    life = Lifecycle(
        stage="Preview",
        retired_at=datetime(2030, 1, 1, tzinfo=UTC),
        replacement=Replacement(version="2", lead_days=30),
    )
    store.describe(msgspec.structs.replace(manifest, lifecycle=life))
    assert ModelStore(tmp_path / "models").get("tiny").lifecycle == life


@pytest.mark.parametrize("version", ["1", "turbo 2024/04", "..", "manifest.json"])
def test_an_older_store_is_read_and_brought_up_to_date(
    store: ModelStore, tmp_path: Path, version: str
) -> None:
    """Its models are found before and after, under their versions, without being hashed anew."""
    folder = tmp_path / "models"
    store.add_file(weights(tmp_path, 1), name="tiny")
    old_layout(store, folder, version)
    assert (folder / "tiny" / "manifest.json").is_file()
    assert store.get("tiny").version == version
    store.modernise()
    assert not (folder / "tiny" / "manifest.json").is_file()
    assert store.get("tiny", version).version == version
    looked: list[object] = []
    assert store.verified_path("tiny", progress=looked.append).is_file()
    assert looked == []
    assert store.damaged() == ()
    store.add_file(weights(tmp_path, 2), name="tiny", version="99")
    assert store.versions() == {"tiny": [version, "99"]}


def test_adding_brings_an_older_store_up_to_date(store: ModelStore, tmp_path: Path) -> None:
    """A second version finds the first one moved out of its way."""
    store.add_file(weights(tmp_path, 1), name="tiny")
    old_layout(store, tmp_path / "models")
    store.add_file(weights(tmp_path, 2), name="tiny", version="2")
    assert store.versions() == {"tiny": ["1", "2"]}


def test_a_damaged_model_of_an_older_store_stays_to_be_told_about(
    store: ModelStore, tmp_path: Path
) -> None:
    """Nothing is thrown away before somebody removes it or adds it again."""
    store.add_file(weights(tmp_path, 1), name="tiny")
    old_layout(store, tmp_path / "models")
    (tmp_path / "models" / "tiny" / "manifest.json").write_text("{")
    store.modernise()
    assert store.damaged() == ("tiny",)
    with pytest.raises(ModelTampered, match="manifest cannot be read"):
        store.get("tiny")
    store.remove("tiny")
    assert store.damaged() == ()


@pytest.mark.parametrize("renames", [1, 2])
def test_killed_while_an_older_store_is_brought_up_to_date(
    store: ModelStore, tmp_path: Path, renames: int
) -> None:
    """Wherever the process dies, the next one has the model."""
    store.add_file(weights(tmp_path, 1), name="tiny")
    old_layout(store, tmp_path / "models")
    code = (
        "import os, sys; from pathlib import Path\n"
        "from linarite.hosting.models.store import ModelStore\n"
        "rename, left = Path.rename, [int(sys.argv[2])]\n"
        "def dying(path, target):\n"
        "    moved = rename(path, target); left[0] -= 1\n"
        "    return moved if left[0] else os._exit(9)\n"
        "Path.rename = dying\n"
        "ModelStore(Path(sys.argv[1])).modernise()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "models", str(renames)], check=False, timeout=60
    )
    assert done.returncode == 9
    store.modernise()
    assert store.verified_path("tiny", "1").is_file()
    assert list((tmp_path / "models" / ".incoming").iterdir()) == []
