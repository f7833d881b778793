"""Copies of the checkout, to plant violations in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.architecture.laws.sizes import RATCHET

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "src/linarite"
ROUTES = f"{PACKAGE}/dataplane/routes.py"
_COPIED = ["src", "docs", "requirements", "pyproject.toml", RATCHET]


def copy_of_checkout(target: Path) -> Path:
    """Everything that the laws look at."""
    for name in _COPIED:
        source, place = ROOT / name, target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, place)
    # What a law may find missing in a young checkout is there, and empty.
    for pages in ("docs/operations", "docs/engines"):
        (target / pages).mkdir(parents=True, exist_ok=True)
    if not (target / ROUTES).exists():
        write(target, ROUTES, "ROUTES = ()\n")
    return target


def copied(copy: Path, target: Path) -> Path:
    """The same once more, of the same files: only `write` may change something in it."""
    shutil.copytree(copy, target, copy_function=os.link, dirs_exist_ok=True)
    return target


def write(root: Path, path: str, text: str) -> None:
    """Write a file, making every package on the way to it."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.parent
    while (root / PACKAGE) in folder.parents:
        if not (folder / "__init__.py").exists():
            (folder / "__init__.py").write_text("")
        folder = folder.parent
    target.unlink(missing_ok=True)  # it may be a file of another copy as well
    target.write_text(text)
