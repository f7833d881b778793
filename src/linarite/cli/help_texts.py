"""How examples stand under a command's help."""

from __future__ import annotations

import re

TAG = re.compile(r"(\\*)(\[[a-z#/@][^[]*?])")


def examples(*pairs: tuple[str, str]) -> str:
    """An epilog that teaches: what one wants, and the line that does it."""
    lines = ["[bold]Examples[/bold]"]
    for wish, command in pairs:
        lines += ["", f"[dim]{escaped(wish)}[/dim]", f"[cyan]{escaped(command)}[/cyan]"]
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Text that says what it says where rich reads markup.

    As `rich.markup.escape`, whose module brings the whole of rich into every command.
    """
    return TAG.sub(lambda tag: f"{tag[1]}{tag[1]}\\{tag[2]}", text)
