"""Strictness: what a piece of a document must be, to be told to the model.

Cosines of different models can't be compared: texts that have nothing to do with each other have
0.74 in one and 0.05 in another. So each model is first shown texts that have nothing to do with
each other, and relevance is told in deviations from what it says of those.
"""

from __future__ import annotations

import time
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from linarite.vector_stores.embedding import numbers_of

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence

    from linarite.domain.data_source import Document
    from linarite.domain.vector_store import Embedder
    from linarite.knowledge.asker import Asker

QUESTIONS = (
    "What is the boiling point of mercury?",
    "Who won the chess match?",
    "How do I bake sourdough bread?",
    "Wann fährt der nächste Zug?",
    "Explain how photosynthesis works.",
    "Price of a used bicycle",
    "Which composer wrote this opera?",
    "Hello",
)
PASSAGES = (
    "The committee approved the minutes of the last meeting.",
    "Volcanic rock cools slowly beneath the surface.",
    "Der Vertrag endet mit Ablauf des Jahres.",
    "A goalkeeper may handle the ball inside the penalty area.",
    "The function returns a list of integers.",
    "Rain is expected in the north on Tuesday.",
    "Her paintings were shown in Paris for the first time.",
    "Wash the vegetables and cut them into small pieces.",
)
DEVIATIONS_MIN = (float("-inf"), 1.0, 2.0, 2.75, 3.5)
"""of strictness 1 to 5. Measured with multilingual-e5-small on the documents of `examples/`:
questions that they answer have 2.1 to 5, questions about other things at most 1.5"""
RERANK_MIN = (0.0, 0.5, 1.0, 1.75, 2.5)
"""the same of a semantic ranker's score, which Azure AI Search gives from 0 to 4"""
SHARE_MIN = (0.0, 0.1, 0.25, 0.45, 0.65)
"""the same of scores without a scale, as shares of the best one"""
DEVIATION_LEAST = 0.01
REMEMBERED_S = 3600.0


class Usual(NamedTuple):
    """Cosines of texts that have nothing to do with each other."""

    mean: float
    deviation: float
    until: float
    """when it is measured again: another model may have the deployment's name by then"""


class Relevance:
    """Judges cosines of embedding deployments."""

    def __init__(self, embedder: Embedder, now: Callable[[], float] = time.monotonic) -> None:
        self._embedder = embedder
        self._now = now
        self._usual: dict[tuple[str, str], Usual] = {}

    async def usual(self, asker: Asker, deployment: str) -> Usual:
        """What the deployment says of texts that have nothing to do with each other.

        Asked of it once an hour, for whoever asks then. Raises what Embedder does.
        """
        key = (asker.account_id, deployment)
        known = self._usual.get(key)
        if known is not None and known.until > self._now():
            return known
        ask = self._embedder.embed
        both = [*QUESTIONS, *PASSAGES]
        made = await ask(asker.account_id, asker.principal, deployment, both, query=True)
        vectors = [numbers_of(each) for each in made]
        questions, passages = vectors[: len(QUESTIONS)], vectors[len(QUESTIONS) :]
        cosines = [_cosine(each, other) for each in questions for other in passages]
        mean = sum(cosines) / len(cosines)
        spread = (sum((each - mean) ** 2 for each in cosines) / len(cosines)) ** 0.5
        found = Usual(mean, max(DEVIATION_LEAST, spread), self._now() + REMEMBERED_S)
        self._usual[key] = found
        return found


def deviations(similarity: float, usual: Usual) -> float:
    """How far a cosine lies above what is usual."""
    return round((similarity - usual.mean) / usual.deviation, 4)


def passes(document: Document, strictness: int, best_score: float, *, judged: bool) -> bool:
    """Whether the model shall be told of a document.

    `judged` by deviations; otherwise by the ranker's score, or as a share of the best score.
    """
    at = strictness - 1
    if judged:
        return document.relevance >= DEVIATIONS_MIN[at]
    if document.rerank_score is not None:
        return document.rerank_score >= RERANK_MIN[at]
    return document.score >= SHARE_MIN[at] * best_score


def best_of(documents: Sequence[Document]) -> float:
    """The greatest score."""
    return max((each.score for each in documents), default=0.0)


def _cosine(one: array[float], other: array[float]) -> float:
    """Of vectors of unit length."""
    return sum(map(mul, one, other))
