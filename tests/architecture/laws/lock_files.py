"""The lock files hold what `pyproject.toml` asks for, hash by hash, and agree with each other."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from pathlib import Path

CORE = "requirements/core.txt"
DEV = "requirements/dev.txt"
PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?P<rest>.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL
)

Pins = dict[str, set[str]]


def lock_files_are_whole(root: Path) -> list[str]:
    """Both locks are hashed, up to date with `pyproject.toml`, and name the same versions."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    violations: list[str] = []
    locks: dict[str, Pins] = {}
    for lock in (CORE, DEV):
        text = (root / lock).read_text(encoding="utf-8")
        locks[lock] = pins_of(text)
        violations += [
            f"{lock}: {pin['name']} has no hash: run `make lock`"
            for pin in PIN.finditer(text)
            if "--hash=sha256:" not in pin["rest"]
        ]
        violations += [
            f"{lock}: {required} is not what it holds: run `make lock`"
            for required in requirements_of(project, lock)
            if not holds(locks[lock], required)
        ]
    violations += [
        f"{DEV}: {name} differs from {CORE}: run `make lock`"
        for name, versions in locks[CORE].items()
        if locks[DEV].get(name) != versions
    ]
    return violations


def pins_of(text: str) -> Pins:
    """Package → its versions; several where the Python version or the platform decides."""
    pins: Pins = {}
    for pin in PIN.finditer(text):
        pins.setdefault(canonicalize_name(pin["name"]), set()).add(pin["version"])
    return pins


def requirements_of(project: dict[str, Any], lock: str) -> list[Requirement]:
    """What a lock has to satisfy."""
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    groups: dict[str, list[str | dict[str, str]]] = project["dependency-groups"]
    chosen: list[str | dict[str, str]] = [*project["project"]["dependencies"]]
    if lock == CORE:
        chosen += [*extras["llamacpp"], *groups["build"]]
    else:
        chosen += [required for extra in extras.values() for required in extra]
        chosen += [*groups["build"], *groups["dev"]]
    return [Requirement(required) for required in chosen if isinstance(required, str)]


def holds(pins: Pins, required: Requirement) -> bool:
    """Whether every version in the lock is one that was asked for."""
    versions = pins.get(canonicalize_name(required.name), set())
    return bool(versions) and all(required.specifier.contains(v, True) for v in versions)
