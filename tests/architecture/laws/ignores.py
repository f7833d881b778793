"""Each ignore of a checker's finding says why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.architecture.laws.words import files_of

if TYPE_CHECKING:
    from pathlib import Path

PLACES = ("src", "tests", "bench", "scripts")
# A letter of each word stands in brackets, so that this file keeps the law too.
BARE = re.compile(
    r"#\s*(?:noq[a](?::\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)?"
    r"|(?:pyrigh[t]|typ[e]):\s*ignor[e](?:\[[^\]]*\])?)\s*$"
)


def ignores_say_why(root: Path) -> list[str]:
    """`# noq[a]: RULE - reason`, and the same of the type checker's."""
    return [
        f"{path}:{line} ignores a finding without a reason: write ' - ' and why after it"
        for path in files_of(root)
        if path.suffix == ".py" and path.parts[0] in PLACES and (root / path).exists()
        for line, text in enumerate((root / path).read_text(encoding="utf-8").splitlines(), 1)
        if BARE.search(text)
    ]
