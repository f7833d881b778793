"""How a choice begins."""

from __future__ import annotations

from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent


def opening(index: int, content: str | None = "") -> ChatEvent:
    """The first event of a choice: the role, before any text."""
    return ChatEvent([ChatChoice(index, ChatDelta(role="assistant", content=content))])
