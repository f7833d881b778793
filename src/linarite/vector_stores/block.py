"""Chunks as NumPy compares them: many at once, by their vectors and by their words.

NumPy comes with the extra `documents`. It is imported where a store is searched for the first time:
it takes 30 MB and a tenth of a second, and most servers search none.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.vector_store import Segment

Array = Any
"""of NumPy"""

SATURATION, LENGTH_WEIGHT = 1.2, 0.75
"""k1 and b of BM25"""


class Near(NamedTuple):
    """A chunk and how near it lies."""

    id: int
    similarity: float
    """the cosine of both vectors: 1 for the same direction"""


class Worded(NamedTuple):
    """A chunk and what it has of the words that are looked for."""

    id: int
    share: float
    """its BM25, of what a chunk would have that consisted of nothing else: between 0 and 1"""


class Block(NamedTuple):
    """Some thousand chunks."""

    ids: Array
    files: Array
    """of each chunk, the row of its file"""
    matrix: Array
    """of each chunk, its vector"""
    lengths: Array
    """of each chunk, how many words it has"""
    terms: Array
    """each word once; they grow"""
    starts: Array
    """of each word, where its postings begin; and where those of the last end"""
    places: Array
    """of each posting, which of the chunks it is in"""
    counts: Array
    """of each posting, how often the word stands there"""

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(int(each.nbytes) for each in self)


def block_of(segments: Sequence[Segment]) -> Block:
    """Segments as one block."""
    import numpy as np  # noqa: PLC0415 - as above

    def all_of(name: str, kind: str) -> Array:
        return np.frombuffer(
            b"".join(getattr(each.postings, name) for each in segments), dtype=kind
        )

    sizes = [each.size for each in segments]
    before = np.cumsum([0, *sizes[:-1]])
    postings = [len(each.postings.counts) for each in segments]
    ids = np.concatenate([np.arange(each.first, each.first + each.size) for each in segments])
    vectors = np.frombuffer(b"".join(each.vectors for each in segments), dtype="<f4")
    places = all_of("places", "<u2") + np.repeat(before, postings)
    return Block(
        ids,
        np.repeat([each.file for each in segments], sizes),
        vectors.reshape(len(ids), -1),
        all_of("lengths", "<u4").astype(np.float32),
        *_sorted(all_of("terms", "<u4"), places.astype(np.uint32), all_of("counts", "u1")),
    )


def joined(one: Block, other: Block) -> Block:
    """Two blocks as one. Raises ValueError where their vectors are of different lengths."""
    import numpy as np  # noqa: PLC0415 - as above

    def both(name: str) -> Array:
        return np.concatenate([getattr(one, name), getattr(other, name)])

    terms = [np.repeat(each.terms, np.diff(each.starts)) for each in (one, other)]
    places = np.concatenate([one.places, other.places + np.uint32(len(one.ids))])
    return Block(
        both("ids"),
        both("files"),
        both("matrix"),
        both("lengths"),
        *_sorted(np.concatenate(terms), places, both("counts")),
    )


def _sorted(terms: Array, places: Array, counts: Array) -> tuple[Array, Array, Array, Array]:
    import numpy as np  # noqa: PLC0415 - as above

    order = np.argsort(terms, kind="stable")
    terms = terms[order]
    begins = np.flatnonzero(np.concatenate([terms[:1] == terms[:1], terms[1:] != terms[:-1]]))
    starts = np.append(begins, len(terms)).astype(np.uint32)
    return terms[begins], starts, places[order], counts[order]


class BlockSearch:
    """One search, over many blocks; several threads may look at the same time."""

    def __init__(
        self, vector: bytes, terms: Sequence[int], limit: int, among: set[int] | None
    ) -> None:
        """`among` are rows of files, the only ones that are wanted."""
        import numpy as np  # noqa: PLC0415 - as above

        self._asked = np.frombuffer(vector, dtype="<f4")
        self._terms = sorted(set(terms))
        self._limit = limit
        self._among = (
            None if among is None else np.fromiter(among, dtype=np.int64, count=len(among))
        )
        self._near: list[tuple[Array, Array]] = []
        self._worded: list[_Words] = []

    def look(self, block: Block) -> None:
        """Compare a block. Raises ValueError where its vectors are of another length."""
        import numpy as np  # noqa: PLC0415 - as above

        if block.matrix.shape[1] != self._asked.shape[0]:
            raise ValueError(f"{block.matrix.shape[1]} is not {self._asked.shape[0]}")
        wanted = None if self._among is None else np.isin(block.files, self._among)
        # Not `@`: BLAS has its threads wait for each other, which takes six times as long where
        # the cores are busy, and no less where they are not: memory is the bound.
        similarities = np.vecdot(block.matrix, self._asked)
        if wanted is not None:
            similarities = np.where(wanted, similarities, -np.inf)
        self._near.append(_best(block.ids, similarities, self._limit, -np.inf))
        if self._terms:
            self._worded.append(_Words(block, wanted, _found(block, self._terms)))

    def near(self) -> list[Near]:
        """The nearest chunks, the nearest first."""
        return [Near(*each) for each in _merged(self._near, self._limit)]

    def matching(self) -> list[Worded]:
        """Chunks with any of the words, the best by BM25 first."""
        had = [0] * len(self._terms)
        for each in self._worded:
            for at, begin, end in each.found:
                had[at] += end - begin
        chunks = sum(len(each.block.ids) for each in self._worded)
        words = sum(float(each.block.lengths.sum()) for each in self._worded)
        weights = [log(1 + (chunks - each + 0.5) / (each + 0.5)) for each in had]
        mean = words / chunks if words else 1.0
        most = (SATURATION + 1) * sum(weights)
        best = [each.best(weights, mean, self._limit) for each in self._worded]
        return [Worded(each, score / most) for each, score in _merged(best, self._limit)]


class _Words(NamedTuple):
    """What a block has of the words that are looked for."""

    block: Block
    wanted: Array | None
    found: list[tuple[int, int, int]]
    """which word, and from where to where its postings are"""

    def best(self, weights: Sequence[float], mean: float, limit: int) -> tuple[Array, Array]:
        import numpy as np  # noqa: PLC0415 - as above

        block = self.block
        scores = np.zeros(len(block.ids), dtype=np.float32)
        room = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * block.lengths / mean)
        for at, begin, end in self.found:
            places, counts = block.places[begin:end], block.counts[begin:end].astype(np.float32)
            # A word has one posting for each chunk, so that no place is there twice.
            scores[places] += weights[at] * (SATURATION + 1) * counts / (counts + room[places])
        if self.wanted is not None:
            scores[~self.wanted] = 0
        return _best(block.ids, scores, limit, 0)


def _found(block: Block, terms: Sequence[int]) -> list[tuple[int, int, int]]:
    import numpy as np  # noqa: PLC0415 - as above

    places = np.searchsorted(block.terms, np.asarray(terms, dtype=np.uint32))
    return [
        (at, int(block.starts[place]), int(block.starts[place + 1]))
        for at, place in enumerate(places)
        if place < len(block.terms) and block.terms[place] == terms[at]
    ]


def _best(ids: Array, scores: Array, limit: int, above: float) -> tuple[Array, Array]:
    import numpy as np  # noqa: PLC0415 - as above

    if len(scores) > limit:
        best = np.argpartition(scores, len(scores) - limit)[-limit:]
        ids, scores = ids[best], scores[best]
    there = scores > above
    return ids[there], scores[there]


def _merged(found: Sequence[tuple[Array, Array]], limit: int) -> list[tuple[int, float]]:
    import numpy as np  # noqa: PLC0415 - as above

    if not found:
        return []
    ids = np.concatenate([each for each, _ in found])
    scores = np.concatenate([each for _, each in found])
    order = np.lexsort((ids, -scores))[:limit]
    return list(zip(ids[order].tolist(), scores[order].tolist(), strict=True))
