"""`python -m bench.vector_stores`: how fast files come into a vector store, and are searched.

Files come in through a whole server, with vectors of a simulator: what is measured is reading,
cutting and keeping. Searches are of a store alone, hybrid, without the query's own vector.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import struct
import tempfile
import time
from pathlib import Path

import httpx

from bench.peers import Unavailable
from bench.rows.linarite import launch, ready_target
from bench.statistics_of import percentile
from bench.tables import milliseconds, number, table
from linarite.domain.principal import Principal
from linarite.domain.vector_store import Chunk, NewStoreFile
from linarite.storage.vector_indexes import FolderVectorIndexes
from linarite.vector_stores.ranking import Asked, ChunkRanker
from linarite.vector_stores.search import CANDIDATES_MIN, fused, spread

CONFIG = """\
[[deployments]]
name = "vectors"
model = "text-embedding-3-small"
instance = "simulated"

[instances.simulated]
engine = "simulator"
model = "gpt-4o"
options = { embedding_dimensions = 384 }
"""
DIMENSIONS = 384
WORDS = [f"word{each}" for each in range(20_000)]
WORDS_OF_CHUNK, WORDS_OF_QUERY = 100, 5
CHUNKS_OF_FILE = 50
FILES_AT_ONCE = 500
"""in a batch, as on Azure"""
SEARCHES = 100
POLL_S = 0.05
MAKER = Principal(kind="Key", name="key1")


def words(dice: random.Random, count: int) -> str:
    """Some, of which few are common and most are rare."""
    most = len(WORDS) - 1
    return " ".join(WORDS[min(most, int(dice.paretovariate(0.7) * 10))] for _ in range(count))


def vector(dice: random.Random) -> bytes:
    """A direction."""
    numbers = [dice.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = sum(each * each for each in numbers) ** 0.5
    return struct.pack(f"<{DIMENSIONS}f", *(each / length for each in numbers))


async def taken_in(scratch: Path, count: int) -> float:
    """Files a second, each of some 600 words."""
    home = scratch / "home"
    home.mkdir()
    server = launch(home, CONFIG)
    try:
        await ready_target(home, server, "vectors")
        ready = json.loads((home / "ready.json").read_text())
        base, headers = f"{ready['endpoint']}/openai/v1", {"api-key": ready["api_key"]}
        dice = random.Random(1)
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as http:
            ids: list[str] = []
            for at in range(count):
                file = {"file": (f"{at}.txt", words(dice, 600).encode())}
                made = await http.post("/files", data={"purpose": "assistants"}, files=file)
                ids.append(made.json()["id"])
            store = (await http.post("/vector_stores", json={})).json()["id"]
            began = time.perf_counter()
            for at in range(0, count, FILES_AT_ONCE):
                some = {"file_ids": ids[at : at + FILES_AT_ONCE]}
                made = await http.post(f"/vector_stores/{store}/file_batches", json=some)
                if made.status_code != httpx.codes.OK:
                    raise Unavailable(f"files were refused: {made.text}")
            while True:
                counts = (await http.get(f"/vector_stores/{store}")).json()["file_counts"]
                if not counts["in_progress"]:
                    break
                await asyncio.sleep(POLL_S)
            seconds = time.perf_counter() - began
            if counts["completed"] != count:
                raise Unavailable(f"files ended as {counts}")
            return count / seconds
    finally:
        server.stop()


async def searched(scratch: Path, chunks: int) -> tuple[list[float], float]:
    """Seconds of each search, and of the first, which reads the vectors from the disk."""
    dice = random.Random(2)
    indexes, ranker = FolderVectorIndexes(scratch / "stores"), ChunkRanker(2**30)
    index = indexes.of("bench")
    some = [vector(dice) for _ in range(1_000)]
    for at in range(0, chunks, CHUNKS_OF_FILE):
        new = NewStoreFile(file_id=f"file-{at}", filename=f"{at}.txt", maker=MAKER)
        await index.add([new], "", 1, chunks)
        part = [
            Chunk(each, words(dice, WORDS_OF_CHUNK), dice.choice(some))
            for each in range(min(CHUNKS_OF_FILE, chunks - at))
        ]
        await index.settle(new.file_id, part)

    async def search() -> float:
        asked, text = vector(dice), words(dice, WORDS_OF_QUERY)
        began = time.perf_counter()
        (found,) = await ranker.ranked("bench", index, [Asked(asked, text)], CANDIDATES_MIN)
        ranked = fused([(1.0, spread(found.near)), (1.0, dict(found.matching))])
        await index.chunks([each for each, _ in ranked[:10]])
        return time.perf_counter() - began

    first = await search()
    return [await search() for _ in range(SEARCHES)], first


async def measure(scratch: Path, files: int, chunks: int) -> str:
    """The table."""
    rate = await taken_in(scratch, files) if files else float("nan")
    seconds, first = await searched(scratch, chunks)
    cells = (
        f"{chunks:,}",
        number(rate, 1),
        milliseconds(percentile(seconds, 0.5)),
        milliseconds(percentile(seconds, 0.99)),
        milliseconds(first),
    )
    return table(
        f"Vector stores: {DIMENSIONS} numbers to a vector, {WORDS_OF_CHUNK} words to a chunk",
        ("chunks", "files/s come in", "search p50, ms", "p99", "the first"),
        [cells],
        f"{SEARCHES} hybrid searches for {WORDS_OF_QUERY} words, common ones among them. Files "
        "have 600 words; their vectors are a simulator's.",
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.vector_stores")
    parser.add_argument("--files", type=int, default=100, help="0: only search")
    parser.add_argument("--chunks", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linarite-bench-") as scratch:
        print(asyncio.run(measure(Path(scratch), asked.files, asked.chunks)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
