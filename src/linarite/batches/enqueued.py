"""Tokens that wait: how many all batches of a deployment may have enqueued at the same time.

Source: "Azure OpenAI quotas and limits", batch limits: they are held until a batch has ended.
"""

from __future__ import annotations


class EnqueuedTokens:
    """What is held of each deployment, in memory; whoever starts a server puts back what was."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, int]] = {}

    def hold(self, deployment: str, batch_id: str, tokens: int, most: int | None) -> int | None:
        """Hold tokens for a batch; or, where they are too many, how many others hold.

        `deployment` is an id; `most` None for any number. What the batch held before is replaced.
        """
        held = self._held.setdefault(deployment.lower(), {})
        others = sum(amount for holder, amount in held.items() if holder != batch_id)
        if most is not None and others + tokens > most:
            return others
        held[batch_id] = tokens
        return None

    def release(self, batch_id: str) -> None:
        """The batch has ended."""
        for held in self._held.values():
            held.pop(batch_id, None)
