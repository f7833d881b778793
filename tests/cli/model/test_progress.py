from __future__ import annotations

import io

from rich.console import Console

from linarite.cli.model.progress import shown
from linarite.hosting.models.progress import Step

STEPS = [
    Step("tiny", "Downloading", 0, 50_000_000),
    Step("tiny", "Downloading", 50_000_000, 50_000_000),
    Step("tiny", "Converting"),
    Step("tiny", "Checking", 10, 10),
]


def _shown(*, terminal: bool) -> str:
    out = io.StringIO()
    with shown(Console(file=out, force_terminal=terminal, width=120)) as progress:
        for step in STEPS:
            progress(step)
    return out.getvalue()


def test_terminal_shows_a_bar() -> None:
    """On a terminal a bar moves, with sizes, and begins anew with each action."""
    text = _shown(terminal=True)
    assert "━" in text
    assert "tiny" in text
    assert "Checking" in text


def test_elsewhere_one_line_an_action() -> None:
    """In a log each action leaves one line, without escape sequences."""
    assert _shown(terminal=False).splitlines() == [
        "tiny: downloading (50.0 MB)",
        "tiny: converting",
        "tiny: checking (0.0 MB)",
    ]
