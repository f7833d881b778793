"""`python -m bench.retrieval`: how good what vector stores find is.

A whole server with a real embedding model (multilingual E5) takes the texts of each set in as files
and is asked its questions, by its API: by vectors alone, by words alone, and by both. Told are
nDCG@10 and recall@10 over files; each question has one file that answers it.
With `--reranker MODEL` both once more, put in order by a chat model of the catalogue.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from contextlib import asynccontextmanager
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from bench.engine_tax import MODELS
from bench.peers import Unavailable
from bench.retrieval_sets import sets
from bench.rows.linarite import launch, ready_target
from bench.tables import table
from linarite.domain.errors import LinariteError
from linarite.hosting.models.catalogue import MULTILINGUAL_E5
from linarite.hosting.models.store import ModelStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bench.retrieval_sets import RetrievalSet

CONFIG = f"""\
[[deployments]]
name = "vectors"
model = "{MULTILINGUAL_E5.name}"
instance = "e5"

[instances.e5]
engine = "llamacpp"
model = "{MULTILINGUAL_E5.name}"

[files]
lasting_max = 10000
"""
RERANKER = """\

[vector_stores]
reranker = "judge"
reranked = {reranked}
rerank_seconds = 600

[[deployments]]
name = "judge"
model = "{model}"
instance = "judge"

[instances.judge]
engine = "llamacpp"
model = "{model}"
queue_wait_s = 600
"""
LEFT = "results not reranked"
"""what the log says where a search was left as it was"""
BOTH = "both"
WAYS: dict[str, dict[str, Any]] = {
    "words alone": {"hybrid_search": {"embedding_weight": 0.0, "text_weight": 1.0}},
    "vectors alone": {"ranker": "none"},
    BOTH: {},
}
"""the `ranking_options` of each"""
CUT = 10
CHUNKS = 50
"""that are asked for: several may be of one file"""
FILES_AT_ONCE = 500
AT_ONCE = 4
POLL_S = 0.2
SEED = 1


class Quality(NamedTuple):
    """Of all questions of a set, asked in one way."""

    ndcg: float
    recall: float


def quality(ranks: Sequence[int | None]) -> Quality:
    """`ranks`: of each question, the place of its answer counted from 1, None for not found."""
    found = [each for each in ranks if each is not None and each <= CUT]
    gained = sum(1 / log2(1 + each) for each in found)  # one answer: the ideal is 1
    return Quality(gained / len(ranks), len(found) / len(ranks))


class Asker:
    """One server, by its API."""

    def __init__(self, http: httpx.AsyncClient, at_once: int) -> None:
        self._http = http
        self._turns = asyncio.Semaphore(at_once)
        self.at_once = at_once

    async def fill(self, texts: dict[str, str], chunking: dict[str, Any] | None) -> str:
        """The id of a store with a file for each text. Raises Unavailable."""
        ids = await asyncio.gather(*(self._upload(*each) for each in texts.items()))
        store = (await self._post("/vector_stores", {}))["id"]
        for at in range(0, len(ids), FILES_AT_ONCE):
            body: dict[str, Any] = {"file_ids": ids[at : at + FILES_AT_ONCE]}
            body |= {"chunking_strategy": chunking} if chunking else {}
            await self._post(f"/vector_stores/{store}/file_batches", body)
        while True:
            counts = (await self._http.get(f"/vector_stores/{store}")).json()["file_counts"]
            if not counts["in_progress"]:
                break
            await asyncio.sleep(POLL_S)
        if counts["completed"] != len(texts):
            raise Unavailable(f"files ended as {counts}")
        return str(store)

    async def rank(self, store: str, question: str, answer: str, way: str) -> int | None:
        """The place of a file among those found."""
        body = {"query": question, "max_num_results": CHUNKS, "ranking_options": WAYS[way]}
        async with self._turns:
            found = (await self._post(f"/vector_stores/{store}/search", body))["data"]
        names = list(dict.fromkeys(each["filename"] for each in found))
        name = f"{answer}.txt"
        return names.index(name) + 1 if name in names else None

    async def _upload(self, name: str, text: str) -> str:
        form = {"purpose": "assistants"}
        async with self._turns:
            file = {"file": (f"{name}.txt", text.encode())}
            made = await self._http.post("/files", data=form, files=file)
        return str(made.json()["id"])

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self._http.post(path, json=body)
        if not answer.is_success:
            raise Unavailable(f"{path}: {answer.text[:300]}")
        return answer.json()


class Filled(NamedTuple):
    """A set whose texts are in a store."""

    of: RetrievalSet
    store: str
    asked: list[tuple[str, str]]
    """the questions that are asked, each behind its id"""


async def filled(
    asker: Asker, of: RetrievalSet, questions: int, chunking: dict[str, Any] | None
) -> Filled:
    """Take a set's texts in."""
    began = time.perf_counter()
    store = await asker.fill(of.texts, chunking)
    print(f"{of.name}: {len(of.texts)} files in {time.perf_counter() - began:.0f} s", flush=True)
    asked = sorted(of.questions.items())
    return Filled(of, store, random.Random(SEED).sample(asked, min(questions, len(asked))))


async def measured(asker: Asker, one: Filled, way: str, name: str = "") -> tuple[str, ...]:
    """The row of a way to look, under a name of its own where it has one."""
    began = time.perf_counter()
    ranks = await asyncio.gather(
        *(asker.rank(one.store, question, id_, way) for id_, question in one.asked)
    )
    each_ms = 1000 * (time.perf_counter() - began) * asker.at_once / len(ranks)
    told = quality(ranks)
    row = (one.of.name, name or way, f"{told.ndcg:.3f}", f"{told.recall:.3f}", f"{each_ms:.0f}")
    print(*row, flush=True)
    return row


@asynccontextmanager
async def asking(home: Path, config: str, at_once: int = AT_ONCE) -> AsyncIterator[Asker]:
    """A server over what is in `home`, with somebody who asks it."""
    server = launch(home, config)
    try:
        await ready_target(home, server, "vectors")
        ready = json.loads((home / "ready.json").read_text())
        base, headers = f"{ready['endpoint']}/openai/v1", {"api-key": ready["api_key"]}
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=900) as http:
            yield Asker(http, at_once)
    finally:
        server.stop()


async def measure(scratch: Path, asked: argparse.Namespace) -> str:
    """The table."""
    for model in filter(None, (MULTILINGUAL_E5.name, asked.reranker)):
        try:
            ModelStore(MODELS).add_from_catalogue(model)
        except LinariteError as problem:
            raise Unavailable(problem.message) from None
    home = scratch / "home"
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "models").exists():
        (home / "models").symlink_to(MODELS)
    chunking = None
    if asked.chunk_tokens:
        overlap = asked.chunk_tokens // 2
        static = {"max_chunk_size_tokens": asked.chunk_tokens, "chunk_overlap_tokens": overlap}
        chunking = {"type": "static", "static": static}
    rows: list[tuple[str, ...]] = []
    async with asking(home, CONFIG) as asker:
        every = [
            await filled(asker, sets()[name](), asked.questions, chunking) for name in asked.sets
        ]
        rows += [await measured(asker, each, way) for each in every for way in WAYS]
    if asked.reranker:
        config = CONFIG + RERANKER.format(model=asked.reranker, reranked=asked.reranked)
        name = f"both, {asked.reranked} of them by {asked.reranker}"
        async with asking(home, config, at_once=1) as asker:
            rows += [await measured(asker, each, BOTH, name) for each in every]
        left = (home / "bench.log").read_text().count(LEFT)
        if left:
            raise Unavailable(f"the reranker could not say of {left} searches, as bench.log tells")
    return table(
        f"Retrieval: {MULTILINGUAL_E5.name}, chunks of {asked.chunk_tokens or 'the usual'} tokens",
        ("set", "looked for by", "nDCG@10", "recall@10", "a search, ms"),
        rows,
        f"{asked.questions} questions of each set, drawn by a seed; {AT_ONCE} searches at a time, "
        "with a reranker one.",
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.retrieval")
    parser.add_argument("sets", nargs="*", default=list(sets()), help=", ".join(sets()))
    parser.add_argument("--questions", type=int, default=200, help="of each set")
    parser.add_argument("--chunk-tokens", type=int, default=0, help="0: the service's usual")
    parser.add_argument("--reranker", default="", help="chat model that puts them in order")
    parser.add_argument("--reranked", type=int, default=10, help="that it is asked about")
    parser.add_argument("--home", type=Path, help="keep the server's data there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linarite-bench-") as scratch:
        print(asyncio.run(measure(asked.home or Path(scratch), asked)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
