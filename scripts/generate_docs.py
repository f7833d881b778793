"""Writes the pages that are generated from code, or with `--check` says which are out of date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent

PAGES: dict[str, list[str]] = {
    "docs/reference/settings.md": ["-m", "linarite.main", "settings", "--markdown"],
    "docs/reference/control-plane-coverage.md": ["scripts/control_plane_coverage.py"],
    "docs/reference/built-in-roles.md": ["scripts/built_in_roles.py"],
}
"""page → the Python arguments that print it, as `"docs/reference/x.md": ["-m", "linarite.x"]`"""


def main(arguments: Sequence[str]) -> int:
    """Generate every page. With `--check` nothing is written, and stale pages make it fail."""
    stale = [page for page, command in PAGES.items() if not is_current(page, command)]
    if "--check" in arguments:
        for page in stale:
            print(f"{page} is not what the code says: run `make docs` and commit the result.")
        return 1 if stale else 0
    for page in stale:
        path = ROOT / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(generate(PAGES[page]), encoding="utf-8")
        print(f"wrote {page}")
    return 0


def is_current(page: str, command: Sequence[str]) -> bool:
    """Whether the page holds what its command prints."""
    path = ROOT / page
    return path.exists() and path.read_text(encoding="utf-8") == generate(command)


def generate(command: Sequence[str]) -> str:
    """What the command prints."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
