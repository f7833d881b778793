"""What commands and servers are without a terminal."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from rich.markup import escape
from rich.text import Text

from linarite.cli.help_texts import escaped
from linarite.cli.plain import Plain, console_on


def test_a_server_without_a_terminal_loads_nothing_that_draws_or_maps_objects() -> None:
    """It would keep it in memory for as long as it runs."""
    asked = (
        "import sys, linarite.main, linarite.assembly, linarite.cli.up\n"
        "print(sorted({'rich', 'pygments', 'attr', 'sqlalchemy.orm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_lines_go_out_as_they_are() -> None:
    """Whatever rich would make of them."""
    out = io.StringIO()
    console = console_on(out)
    assert isinstance(console, Plain)
    console.print("[bold]a[/] " + "b" * 200, soft_wrap=True, markup=False)
    assert out.getvalue() == "[bold]a[/] " + "b" * 200 + "\n"


@pytest.mark.parametrize(
    "text", ["plain", "[[deployments]]", "[bold]x[/bold]", r"\[a]", "[0]", "[@x(1)]", "a[", "[/]"]
)
def test_markup_is_escaped_as_by_rich(text: str) -> None:
    """And read as the text."""
    assert escaped(text) == escape(text)
    assert Text.from_markup(escaped(text)).plain == text
