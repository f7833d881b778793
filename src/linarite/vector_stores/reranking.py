"""Putting what was found in a better order, by a chat model that is asked about each passage.

The model is asked whether a passage answers the query, and says one token: its probability of
"yes" against "no" is the passage's score. That is how Qwen3-Reranker and its like were trained to
be asked, in these words; other chat models can be asked the same.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Protocol

import msgspec
import structlog

from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.domain.facts import Facts
    from linarite.domain.principal import Principal
    from linarite.vector_stores.options import VectorStores

AT_ONCE = 8
"""passages of one search that are asked about at the same time"""
PASSAGE_CHARACTERS_MAX, QUERY_CHARACTERS_MAX = 4_000, 1_000
"""what the model is shown of each: a chunk of the usual size as a whole"""
TOP_LOGPROBS = 20
OK, BAD_REQUEST = 200, 400
TASK = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".'
)
INSTRUCT = "Given a web search query, retrieve relevant passages that answer the query"

log = structlog.get_logger("linarite.vector_stores")


class Reranker(Protocol):
    """Says of passages how well they answer a query."""

    def takes(self, account_id: str) -> int:
        """How many passages of a search of the account's it looks at; 0: it looks at none."""
        ...

    async def scores(
        self, account_id: str, caller: Principal, query: str, passages: Sequence[str]
    ) -> list[float] | None:
        """Between 0 and 1 for each; None where it can't say, which is logged."""
        ...


class NoReranker:
    """`Reranker` where settings name none."""

    def takes(self, account_id: str) -> int:  # noqa: ARG002 - the port's shape
        """None."""
        return 0

    async def scores(
        self,
        account_id: str,  # noqa: ARG002 - the port's shape
        caller: Principal,  # noqa: ARG002 - the port's shape
        query: str,  # noqa: ARG002 - the port's shape
        passages: Sequence[str],  # noqa: ARG002 - the port's shape
    ) -> list[float] | None:
        """Nobody is asked."""
        return None


class Asking(Protocol):
    """Asks a chat deployment on the governed path."""

    async def __call__(self, account_id: str, caller: Principal, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises LinariteError where nobody can answer now."""
        ...


class DeploymentReranker:
    """`Reranker` by a chat deployment of the account's: one request for each passage."""

    def __init__(
        self, ask: Asking, facts_of: Callable[[str], Facts | None], options: VectorStores
    ) -> None:
        """`facts_of` an account, by its id."""
        self._ask = ask
        self._facts_of = facts_of
        self._options = options

    def takes(self, account_id: str) -> int:
        """See Reranker. None where the account has no such deployment."""
        facts, wanted = self._facts_of(account_id), self._options.reranker
        there = wanted and facts is not None and facts.deployment(wanted) is not None
        return self._options.reranked if there else 0

    async def scores(
        self, account_id: str, caller: Principal, query: str, passages: Sequence[str]
    ) -> list[float] | None:
        """See Reranker. A passage that the model can't judge has 0, unless it can judge none."""
        seconds = self._options.rerank_seconds
        try:
            async with asyncio.timeout(seconds):
                found = await self._judged(account_id, caller, query, passages)
        except TimeoutError:
            return self._left(f"it took longer than {seconds:g} s (vector_stores.rerank_seconds)")
        except LinariteError as problem:
            return self._left(problem.message)
        if passages and all(isinstance(each, str) for each in found):
            return self._left(str(found[0]))
        return [0.0 if isinstance(each, str) else each for each in found]

    async def _judged(
        self, account_id: str, caller: Principal, query: str, passages: Sequence[str]
    ) -> list[float | str]:
        """Of each passage its score, or why it has none. Raises LinariteError."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def judged(passage: str) -> float | str:
            async with turns:
                body = _question(self._options.reranker, query, passage)
                return _answer(*await self._ask(account_id, caller, body))

        tasks = [asyncio.create_task(judged(each)) for each in passages]
        try:
            return await asyncio.gather(*tasks)
        finally:  # one has failed, or time is over: the others are for nothing
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _left(self, reason: str) -> None:
        log.warning("results not reranked", deployment=self._options.reranker, reason=reason)


class _Refused(LinariteError):
    """The deployment would not judge any other passage either."""


def _question(deployment: str, query: str, passage: str) -> bytes:
    """What differs between passages comes last, so that an engine computes the rest once."""
    asked = (
        f"<Instruct>: {INSTRUCT}\n\n<Query>: {query[:QUERY_CHARACTERS_MAX]}\n\n"
        f"<Document>: {passage[:PASSAGE_CHARACTERS_MAX]}"
    )
    return msgspec.json.encode(
        {
            "model": deployment,
            "messages": [{"role": "system", "content": TASK}, {"role": "user", "content": asked}],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": TOP_LOGPROBS,
        }
    )


class Likely(msgspec.Struct, frozen=True):
    """A token that could have come, of those that the interface tells."""

    token: str
    logprob: float


class _Token(msgspec.Struct, frozen=True):
    top_logprobs: list[Likely] = []


class _Logprobs(msgspec.Struct, frozen=True):
    content: list[_Token] | None = None


class _Choice(msgspec.Struct, frozen=True):
    logprobs: _Logprobs | None = None


class _Reply(msgspec.Struct, frozen=True):
    choices: list[_Choice]


def _answer(status: int, answer: bytes) -> float | str:
    """A score, or why there is none for this passage. Raises _Refused."""
    if status != OK:
        message = str(msgspec.json.decode(answer)["error"]["message"])
        if status == BAD_REQUEST:  # too long for the model, or filtered
            return message
        raise _Refused(message)
    told = msgspec.json.decode(answer, type=_Reply).choices[0].logprobs
    return probability(told.content[0].top_logprobs if told and told.content else [])


def probability(likeliest: Sequence[Likely]) -> float | str:
    """Of "yes" against "no", from the tokens that could have come first; else what they lack."""
    said = {"yes": 0.0, "no": 0.0}
    for each in likeliest:
        word = each.token.strip().lower()
        if word in said:
            said[word] += math.exp(each.logprob)
    together = sum(said.values())
    return said["yes"] / together if together else "it said neither yes nor no"
