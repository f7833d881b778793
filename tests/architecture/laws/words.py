"""Files speak of the project alone: of no machine, no registry, no ticket, nothing unfinished."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

# A letter of each word stands in brackets, so that this file keeps the law too.
FORBIDDEN = {
    "names the host of a package registry": (
        r"py[p]i\.org|pythonhoste[d]\.org|npmj[s]\.(?:org|com)|yarnpk[g]\.com"
        r"|(?:deb|security)\.debia[n]\.org|archive\.ubunt[u]\.com"
    ),
    "names a path of one machine": r"(?<![\w./-])/(?:wor[k]|root|home/\w+)/|/op[t]/(?:pypi|wheels)",
    "names a ticket: say what is true instead": (
        r"(?i)\b(?:issue|ticket|pull request|bug)s? #[0-9]+|\((?:closes |fixes )?#[0-9]+\)"
    ),
    "is unfinished": r"\bTOD[O]\b|\bFIXM[E]\b|\bNotImplementedErro[r]\b",
}
LEFT_BY_TOOLS = {".git", ".venv", "__pycache__", ".hypothesis", ".ruff_cache", ".pytest_cache"}


def files_speak_of_the_project_alone(root: Path) -> list[str]:
    """No file of the repository, new ones included, holds a word that belongs elsewhere."""
    violations: list[str] = []
    for path in files_of(root):
        try:
            text = (root / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        for fault, pattern in FORBIDDEN.items():
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                violations.append(f"{path}:{line} {fault}: {match.group()!r}")
    return violations


def files_of(root: Path) -> list[Path]:
    """The files that git tracks or would offer to; all files where there is no git."""
    if (root / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        return sorted(Path(name) for name in done.stdout.split("\0") if name)
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path for path in found if LEFT_BY_TOOLS.isdisjoint(path.parts))
