"""How examples stand under a command's help."""

from __future__ import annotations

from rich.markup import escape


def examples(*pairs: tuple[str, str]) -> str:
    """An epilog that teaches: what one wants, and the line that does it."""
    lines = ["[bold]Examples[/bold]"]
    for wish, command in pairs:
        lines += ["", f"[dim]{escape(wish)}[/dim]", f"[cyan]{escape(command)}[/cyan]"]
    return "\n".join(lines)
