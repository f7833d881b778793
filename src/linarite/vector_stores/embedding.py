"""Vectors by one of the account's deployments, asked as everybody asks it."""

from __future__ import annotations

import asyncio
import sys
from array import array
from base64 import b64decode
from math import hypot
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.domain.vector_store_errors import EmbeddingRefused, NoEmbeddingDeployment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
SHORTEST = 64
"""characters of a text that is not cut any further"""


class Asking(Protocol):
    """Asks for vectors on the governed path."""

    async def __call__(
        self, account_id: str, caller: Principal, body: bytes, *, background: bool
    ) -> tuple[int, bytes]:
        """Status and body of the answer. Raises EmbeddingBusy."""
        ...


class DeploymentEmbedder:
    """`Embedder`. A text that is longer than the model reads gets the mean of its parts."""

    def __init__(self, ask: Asking, facts_of: Callable[[str], Facts | None]) -> None:
        """`facts_of` an account, by its id."""
        self._ask = ask
        self._facts_of = facts_of

    async def embed(
        self, account_id: str, caller: Principal, where: str, texts: Sequence[str], *, query: bool
    ) -> list[bytes]:
        """See Embedder."""
        facts = self._facts_of(account_id)
        deployment = facts.deployment(where) if facts is not None else None
        if deployment is None:
            raise NoEmbeddingDeployment(where)
        prefix = E5_PREFIXES[query] if "e5-" in deployment.model.name.lower() else ""

        async def asked(part: Sequence[str]) -> list[bytes] | None:
            """None where one of the texts is too long."""
            body = {
                "model": where,
                "input": [prefix + each for each in part],
                "encoding_format": "base64",
            }
            status, answer = await self._ask(
                account_id, caller, msgspec.json.encode(body), background=not query
            )
            return _vectors(status, answer)

        found: list[bytes] = []
        for at in range(0, len(texts), AT_ONCE):
            part = texts[at : at + AT_ONCE]
            vectors = await asked(part)
            found += vectors if vectors is not None else [await _one(each, asked) for each in part]
            await asyncio.sleep(0)
        return found


async def _one(text: str, asked: Any) -> bytes:  # noqa: ANN401 - the function above
    vectors = await asked([text])
    if vectors is not None:
        return vectors[0]
    if len(text) <= SHORTEST:
        raise EmbeddingRefused("The model reads no text of this length.", 400, CONTEXT_LENGTH)
    middle = text.rfind(" ", 0, len(text) // 2 + 1)
    middle = middle if middle > len(text) // 4 else len(text) // 2
    parts = [each for each in (text[:middle], text[middle:]) if each.strip()]
    return mean([await _one(each, asked) for each in parts])


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


def _vectors(status: int, answer: bytes) -> list[bytes] | None:
    told: dict[str, Any] = msgspec.json.decode(answer)
    if status == OK:
        return [b64decode(each["embedding"]) for each in told["data"]]
    error: dict[str, Any] = told.get("error") or {}
    code = error.get("code")
    if code == CONTEXT_LENGTH:
        return None
    raise EmbeddingRefused(str(error.get("message", "")), status, code)


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
