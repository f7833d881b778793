from __future__ import annotations

import io

from rich.console import Console

from linarite.cli.model_progress import ModelProgress
from linarite.hosting.models.progress import Step

MEGABYTE = 1_000_000


def test_elsewhere_than_on_a_terminal_a_few_lines_are_printed() -> None:
    """One when an action begins and one at each quarter, without colour."""
    out = io.StringIO()
    with ModelProgress(Console(file=out)) as progress:
        for done in range(0, 101, 5):
            progress(Step("m", "Downloading", done * MEGABYTE, 100 * MEGABYTE))
        progress(Step("m", "Converting"))
        progress(Step("m", "Converting"))
    assert out.getvalue().splitlines() == [
        "m: downloading, 0 of 100 MB (0 %)",
        "m: downloading, 25 of 100 MB (25 %)",
        "m: downloading, 50 of 100 MB (50 %)",
        "m: downloading, 75 of 100 MB (75 %)",
        "m: downloading, 100 of 100 MB (100 %)",
        "m: converting",
    ]


def test_on_a_terminal_each_model_has_a_bar() -> None:
    """The bar shows the model, what is done, and how much of it."""
    out = io.StringIO()
    with ModelProgress(Console(file=out, force_terminal=True, width=100)) as progress:
        progress(Step("one", "Downloading", 50 * MEGABYTE, 100 * MEGABYTE))
        progress(Step("two", "Copying", 5 * MEGABYTE, 10 * MEGABYTE))
    assert "50.0/100.0 MB" in out.getvalue()
    assert "5.0/10.0 MB" in out.getvalue()
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h") == 1


def test_an_action_without_a_known_end_does_not_show_the_last_one_s() -> None:
    """After a download of 100 MB, converting is not 0 of 100 MB."""
    out = io.StringIO()
    with ModelProgress(Console(file=out, force_terminal=True, width=100)) as progress:
        progress(Step("one", "Downloading", 50 * MEGABYTE, 100 * MEGABYTE))
        progress(Step("one", "Converting"))
    _, shown, last = out.getvalue().rpartition("Converting")
    assert shown
    assert "100.0 MB" not in last


def test_nothing_is_drawn_when_nothing_is_done() -> None:
    """A start with all models present shows no empty display."""
    out = io.StringIO()
    with ModelProgress(Console(file=out, force_terminal=True)):
        pass
    assert out.getvalue() == ""
