"""What has been said so far."""

from __future__ import annotations


class Conversation:
    """The messages of a chat: a system message, then questions and answers in turn."""

    def __init__(self, system: str | None = None) -> None:
        self.system = system
        self._turns: list[dict[str, str]] = []

    def with_question(self, question: str) -> list[dict[str, str]]:
        """The messages to send; nothing is kept until the answer is."""
        opening = [{"role": "system", "content": self.system}] if self.system else []
        return [*opening, *self._turns, {"role": "user", "content": question}]

    def keep(self, question: str, answer: str) -> None:
        """Remember a turn. A question without an answer is forgotten, so that it can be redone."""
        if answer:
            self._turns += [
                {"role": "user", "content": question},
                {"role": "assistant", "content": answer},
            ]

    def reset(self) -> None:
        """Forget all turns; the system message stays."""
        self._turns.clear()

    @property
    def turns(self) -> int:
        """How many questions have been answered."""
        return len(self._turns) // 2
