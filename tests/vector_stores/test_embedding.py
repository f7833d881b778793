"""Vectors of texts that are too long for the model, and of several files at once."""

from __future__ import annotations

import asyncio
import struct
from base64 import b64decode, b64encode
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from linarite.domain.errors import ContextLengthExceeded
from linarite.domain.principal import Principal
from linarite.domain.vector_store_errors import EmbeddingBusy, EmbeddingRefused
from linarite.vector_stores.embedding import AT_ONCE, DeploymentEmbedder, mean, numbers_of
from linarite.vector_stores.fitting import BYTES_PER_TOKEN, Fit, size_of

if TYPE_CHECKING:
    from linarite.domain.facts import Facts

pytestmark = pytest.mark.anyio
ALICE, BOB = Principal(kind="Key", name="alice"), Principal(kind="Key", name="bob")


class _Model(msgspec.Struct, frozen=True):
    name: str = "multilingual-e5-small"


class _Deployment(msgspec.Struct, frozen=True):
    name: str = "vectors"
    model: _Model = _Model()
    instance: str = "e5"


class _Facts:
    """An account with one deployment."""

    def deployment(self, name: str) -> _Deployment | None:
        """That one."""
        return _Deployment() if name == "vectors" else None


class Model:
    """One that reads some tokens, each of so many bytes, and refuses what says so."""

    def __init__(self, tokens: int = 0, bytes_per_token: float = 4.0) -> None:
        self.tokens = tokens
        self.bytes_per_token = bytes_per_token
        self.calls: list[tuple[str, list[str]]] = []
        self.refused = 0
        self.at_work = self.most_at_work = 0
        self.busy = False

    async def __call__(
        self, account_id: str, caller: Principal, body: bytes, *, background: bool
    ) -> tuple[int, bytes]:
        """As the governed path answers."""
        del account_id, background
        texts: list[str] = msgspec.json.decode(body)["input"]
        self.calls.append((caller.name, texts))
        self.at_work += 1
        self.most_at_work = max(self.at_work, self.most_at_work)
        await asyncio.sleep(0.01)
        self.at_work -= 1
        if self.busy:
            raise EmbeddingBusy("later", 1.0)
        if any("forbidden" in each for each in texts):
            return 400, _error("no", "content_filter")
        longest = max(round(size_of(each) / self.bytes_per_token) for each in texts)
        if self.tokens and longest > self.tokens:
            self.refused += 1
            problem = ContextLengthExceeded(self.tokens, longest)
            return 400, _error(problem.message, problem.code)
        data = [{"embedding": b64encode(vector(each)).decode()} for each in texts]
        return 200, msgspec.json.encode({"data": data})

    def embedder(self, context_tokens: int = 0) -> DeploymentEmbedder:
        """One that asks it."""
        facts = cast("Facts", _Facts())
        return DeploymentEmbedder(self, lambda _: facts, lambda _: context_tokens)


def _error(message: str, code: str | None) -> bytes:
    return msgspec.json.encode({"error": {"message": message, "code": code}})


def vector(text: str) -> bytes:
    """By what the text says, so that it is seen whose it is."""
    told = text.partition(": ")[2]
    counts = Counter(told)
    return struct.pack("<3f", counts["a"], counts["b"], counts["c"])


async def embedded(
    embedder: DeploymentEmbedder, *texts: str, caller: Principal = ALICE, query: bool = False
) -> list[bytes]:
    """Their vectors."""
    return await embedder.embed("account", caller, "vectors", texts, query=query)


async def test_files_are_asked_for_together() -> None:
    """What comes while calls are under way is in the next; each has its own, other callers too."""
    model = Model()
    embedder = model.embedder()
    texts = [["a " * (at + 1), "b"] for at in range(40)]
    told = [embedded(embedder, *each, caller=(ALICE, BOB)[at % 2]) for at, each in enumerate(texts)]
    found = await asyncio.gather(*told)
    assert found == [[vector(f"passage: {each}") for each in some] for some in texts]
    assert len(model.calls) <= 10
    assert model.most_at_work == 4  # two for each of both
    for name, some in model.calls:
        assert len(some) <= AT_ONCE
        alices = sum(each.count("a ") % 2 for each in some if "b" not in each)
        assert alices in ({len(some) // 2} if name == "alice" else {0})
    many = await embedded(embedder, *(["a"] * 100), query=True)
    assert many == [vector("query: a")] * 100


async def test_a_refusal_is_that_files_alone() -> None:
    """And what is busy is busy for all that asked."""
    model = Model()
    embedder = model.embedder()
    names = ["a", "forbidden", "b", "forbidden too", "c"]
    first = asyncio.gather(*(embedded(embedder, "first") for _ in range(2)))
    await asyncio.sleep(0)
    found = await asyncio.gather(
        *(embedded(embedder, each) for each in names), return_exceptions=True
    )
    await first
    assert [isinstance(each, EmbeddingRefused) for each in found] == [False, True] * 2 + [False]
    assert found[2] == [vector("passage: b")]
    model.busy = True
    found = await asyncio.gather(
        *(embedded(embedder, each) for each in names), return_exceptions=True
    )
    assert all(isinstance(each, EmbeddingBusy) for each in found)


async def test_what_is_given_up_is_not_asked() -> None:
    """Calls that nobody waits for any more end, and others come after them."""
    model = Model()
    embedder = model.embedder()
    asked = [asyncio.create_task(embedded(embedder, f"{at} a")) for at in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for each in asked[:5]:
        each.cancel()
    assert await asked[5] == [vector("passage: a")]
    assert model.calls[-1][1] == ["passage: 5 a"]
    assert sum(len(texts) for _, texts in model.calls) < 6


@pytest.mark.parametrize("known", [True, False])
async def test_long_texts_are_cut_beforehand(known: bool) -> None:
    """In parts of about the same length; what a model refuses teaches how it counts."""
    model = Model(tokens=100, bytes_per_token=2.5)
    embedder = model.embedder(100 if known else 0)
    page = "a word or b " * 60  # 720 bytes, 288 tokens
    found = await embedded(embedder, *([page] * 64))
    assert model.refused <= 3
    for each in found:
        assert sum(number**2 for number in numbers_of(each)) == pytest.approx(1.0)
    refused, calls = model.refused, len(model.calls)
    await embedded(embedder, *([page] * 64))
    assert model.refused == refused  # nothing is learned twice
    parts = [each for _, some in model.calls[calls:] for each in some]
    assert len(parts) <= 64 * 4
    assert all(size_of(each) < 100 * 2.5 + len("passage: ") for each in parts)
    assert model.calls[-1][1][-1].endswith("or b ")
    assert await embedded(embedder, "a short one") == [vector("passage: a short one")]


async def test_what_cannot_be_cut_is_refused() -> None:
    """A model that reads nothing is asked some times, not for ever."""
    model = Model(tokens=1, bytes_per_token=0.5)
    with pytest.raises(EmbeddingRefused, match="no text of this length"):
        await embedded(model.embedder(), "a b c " * 1_000)
    assert len(model.calls) < 20


def test_texts_are_cut_between_words() -> None:
    """Nothing of them is lost, and no part is empty."""
    fit = Fit(100)
    text = " ".join(f"word{at}" for at in range(300))
    parts = fit.parts_of(text)
    assert "".join(parts) == text
    assert all(size_of(each) <= 100 * BYTES_PER_TOKEN for each in parts)
    assert all(each.startswith(" word") for each in parts[1:])
    assert fit.parts_of("x" * 1_000) == ["x" * 334, "x" * 333, "x" * 333]
    assert fit.parts_of("short") == ["short"]
    assert Fit(0).parts_of("x" * 100_000) == ["x" * 100_000]
    japanese = "日本語" * 200
    assert "".join(fit.parts_of(japanese)) == japanese
    assert all(size_of(each) <= 430 for each in fit.parts_of(japanese))


@pytest.mark.parametrize(
    "why",
    [
        ContextLengthExceeded(512, 1024).message,
        "This model's maximum context length is 512 tokens, however you requested 1024 tokens.",
    ],
)
def test_refusals_are_understood(why: str) -> None:
    """Of our engines, and of other services."""
    fit = Fit(0)
    assert fit.refused(4_000, why)
    assert fit.bytes_max == pytest.approx(1_900)
    assert not fit.refused(10, "no")
    fit.bytes_max = 1_900
    for _ in range(10):
        fit.accepted()
    assert 1_900 < fit.bytes_max < 2_100


def test_the_mean_of_vectors() -> None:
    """Of unit length; of vectors that cancel each other, what there is."""
    packed: Any = lambda *numbers: struct.pack("<2f", *numbers)  # noqa: E731 - for this test
    assert numbers_of(mean([packed(1, 0), packed(0, 1)])).tolist() == pytest.approx([0.5**0.5] * 2)
    assert numbers_of(mean([packed(1, 0), packed(-1, 0)])).tolist() == [0, 0]
    assert b64decode(b64encode(mean([packed(1, 0)]))) == packed(1, 0)
