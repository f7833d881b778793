"""Vectors by one of the account's deployments, asked as everybody asks it."""

from __future__ import annotations

import asyncio
import sys
from array import array
from base64 import b64decode
from functools import partial
from math import hypot
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

import msgspec

from linarite.domain.vector_store_errors import EmbeddingRefused, NoEmbeddingDeployment
from linarite.vector_stores.fitting import Fit, size_of
from linarite.vector_stores.gathering import Gatherer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from linarite.domain.engine import Capabilities
    from linarite.domain.facts import Deployment, Facts
    from linarite.domain.principal import Principal

AT_ONCE = 32
"""texts in one request"""
OK = 200
CONTEXT_LENGTH = "context_length_exceeded"
WORDS = ("embed", "-e5-", "e5-")
"""what models that make vectors are called"""
E5_PREFIXES = ("passage: ", "query: ")
"""what E5 models were trained to see before a text and before a question"""
CALLS_AT_ONCE = 2
"""for one caller: while one is computed the next one is there"""
FITS_MAX = 10_000


class Asking(Protocol):
    """Asks for vectors on the governed path."""

    async def __call__(
        self, account_id: str, caller: Principal, body: bytes, *, background: bool
    ) -> tuple[int, bytes]:
        """Status and body of the answer. Raises EmbeddingBusy."""
        ...


class TooLong(Exception):
    """One of the texts has more tokens than the model reads."""

    def __init__(self, longest: int, why: str) -> None:
        """`longest` of the texts in bytes; `why` as the deployment says it."""
        super().__init__(why)
        self.longest = longest
        self.why = why


class DeploymentEmbedder:
    """`Embedder`. A text that is longer than the model reads gets the mean of its parts.

    What is asked in the background at the same time is asked together.
    """

    def __init__(
        self,
        ask: Asking,
        facts_of: Callable[[str], Facts | None],
        context_of: Callable[[str], int] = lambda _instance: 0,
    ) -> None:
        """`facts_of` an account, by its id; `context_of` an instance: 0 where it is not known."""
        self._ask = ask
        self._facts_of = facts_of
        self.context_of = context_of
        self._fits: dict[tuple[str, ...], Fit] = {}
        self._gatherers: WeakValueDictionary[tuple[object, ...], Gatherer] = WeakValueDictionary()

    async def embed(
        self, account_id: str, caller: Principal, where: str, texts: Sequence[str], *, query: bool
    ) -> list[bytes]:
        """See Embedder."""
        facts = self._facts_of(account_id)
        deployment = facts.deployment(where) if facts is not None else None
        if deployment is None:
            raise NoEmbeddingDeployment(where)
        prefix = E5_PREFIXES[query] if "e5-" in deployment.model.name.lower() else ""
        told = partial(self._told, account_id, caller, where, prefix, background=not query)
        if query:
            return await _embedded(texts, self._fit(account_id, deployment), told)
        key = (account_id, caller, where, prefix)
        gatherer = self._gatherers.get(key) or Gatherer(told, AT_ONCE, CALLS_AT_ONCE)
        self._gatherers[key] = gatherer
        return await _embedded(texts, self._fit(account_id, deployment), gatherer.ask)

    def _fit(self, account_id: str, deployment: Deployment) -> Fit:
        """What is known of its model."""
        instance = deployment.instance
        key = (account_id, deployment.name, deployment.model.name, instance)
        fit = self._fits.get(key)
        if fit is None:
            if len(self._fits) >= FITS_MAX:
                self._fits.clear()
            fit = self._fits[key] = Fit(self.context_of(instance))
        return fit

    async def _told(
        self,
        account_id: str,
        caller: Principal,
        where: str,
        prefix: str,
        texts: Sequence[str],
        *,
        background: bool,
    ) -> list[bytes]:
        """One call. Raises TooLong, EmbeddingRefused, EmbeddingBusy."""
        body = {
            "model": where,
            "input": [prefix + each for each in texts],
            "encoding_format": "base64",
        }
        encoded = msgspec.json.encode(body)
        status, answer = await self._ask(account_id, caller, encoded, background=background)
        told: dict[str, Any] = msgspec.json.decode(answer)
        if status == OK:
            return [b64decode(each["embedding"]) for each in told["data"]]
        error: dict[str, Any] = told.get("error") or {}
        message, code = str(error.get("message", "")), error.get("code")
        if code == CONTEXT_LENGTH:
            raise TooLong(max(map(size_of, texts)), message)
        raise EmbeddingRefused(message, status, code)


async def _embedded(
    texts: Sequence[str],
    fit: Fit,
    ask: Callable[[Sequence[str]], Awaitable[list[bytes]]],
) -> list[bytes]:
    """The vectors of texts that may be cut."""
    parts = [(at, part) for at, text in enumerate(texts) for part in fit.parts_of(text)]
    vectors: list[list[bytes]] = [[] for _ in texts]
    while parts:
        some = parts[:AT_ONCE]
        try:
            made = await ask([part for _, part in some])
        except TooLong as problem:
            if not fit.refused(problem.longest, problem.why):
                why = "The model reads no text of this length."
                raise EmbeddingRefused(why, 400, CONTEXT_LENGTH) from None
            parts = [(at, part) for at, text in parts for part in fit.parts_of(text)]
            continue
        for (at, _), vector in zip(some, made, strict=True):
            vectors[at].append(vector)
        parts = parts[AT_ONCE:]
        await asyncio.sleep(0)
    if any(len(each) > 1 for each in vectors):
        fit.accepted()
    return [each[0] if len(each) == 1 else mean(each) for each in vectors]


def mean(vectors: Sequence[bytes]) -> bytes:
    """The direction in which vectors point together, of unit length."""
    summed = [sum(column) for column in zip(*map(numbers_of, vectors), strict=True)]
    length = hypot(*summed)
    numbers = array("f", [each / length for each in summed] if length else summed)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def numbers_of(vector: bytes) -> array[float]:
    """Of a vector as it is kept."""
    numbers = array("f")
    numbers.frombytes(vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def embedding_deployment(
    facts: Facts, wanted: str, capabilities_of: Callable[[str], Capabilities | None]
) -> str:
    """Which deployment makes an account's vectors: the wanted one, else the first that can.

    Raises NoEmbeddingDeployment.
    """
    if wanted:
        found = facts.deployment(wanted)
        if found is None:
            raise NoEmbeddingDeployment(wanted)
        return found.name
    every = sorted(facts.deployments.values(), key=lambda each: each.name.lower())

    def named(each: Deployment) -> bool:
        return any(word in each.model.name.lower() for word in WORDS)

    def able(each: Deployment) -> bool:
        capabilities = capabilities_of(each.instance)
        return capabilities is not None and capabilities.embeddings

    for fits in (named, able):
        for each in every:
            if fits(each):
                return each.name
    raise NoEmbeddingDeployment("")
