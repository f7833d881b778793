"""A folder of wheels from which Linarite can be installed without any network.

Linarite's own wheel is built here. Those of its requirements are made again of what the tests' own
environment has of them: the very files that were checked against `requirements/*.txt` when that
environment was set up, each compared with the hash that its wheel's record gives.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parent.parent.parent
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
NOT_OF_THE_WHEEL = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}


def fill(folder: Path) -> None:
    """Put Linarite's wheel and those of everything that it needs into a folder."""
    build = f"from flit_core.buildapi import build_wheel; build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True)
    for name in LOCKED.findall((ROOT / "requirements" / "core.txt").read_text()):
        try:
            pack(distribution(name), folder)
        except PackageNotFoundError:  # needed on other systems only
            continue


def pack(installed: Distribution, folder: Path) -> Path:
    """The wheel of an installed distribution."""
    name, version = re.sub(r"[-_.]+", "_", installed.metadata["Name"]), installed.version
    file = folder / f"{name}-{version}-{tag_of(installed)}.whl"
    record: list[str] = []
    info = ""
    with zipfile.ZipFile(file, "w") as wheel:
        for path in installed.files or []:
            kept = place_in_wheel(path, f"{name}-{version}")
            if not kept:
                continue
            content = Path(str(path.locate())).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            assert path.hash is not None, path
            assert path.hash.value == digest.decode(), f"{path} is not what was installed"
            wheel.writestr(kept, content)
            record.append(f"{kept},sha256={digest.decode()},{len(content)}")
            if path.parent.name.endswith(".dist-info"):
                info = path.parent.name
        record.append(f"{info}/RECORD,,")
        wheel.writestr(f"{info}/RECORD", "\n".join(record) + "\n")
    return file


def place_in_wheel(path: PurePosixPath, stem: str) -> str:
    """Where an installed file was in its wheel; "" for what the installer made."""
    if path.suffix == ".pyc" or (
        path.parent.name.endswith(".dist-info") and path.name in NOT_OF_THE_WHEEL
    ):
        return ""
    if path.parts[0] != "..":
        return str(path)
    outside = [part for part in path.parts if part != ".."]
    # Programs are made again from the entry points.
    return "" if outside[0] == "bin" else "/".join((f"{stem}.data", "data", *outside))


def tag_of(installed: Distribution) -> str:
    """The compatibility tag, as the file's name has it."""
    said = Parser().parsestr(installed.read_text("WHEEL") or "").get_all("Tag") or []
    parts = zip(*(tag.split("-") for tag in said), strict=True)
    return "-".join(".".join(dict.fromkeys(each)) for each in parts)
