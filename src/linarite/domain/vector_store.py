"""Vector stores: the files in one, their chunks, and the port that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import msgspec

from linarite.domain.postings import Postings
from linarite.domain.principal import Principal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

FileStatus = Literal["in_progress", "completed", "cancelled", "failed"]
STATUSES: tuple[FileStatus, ...] = ("in_progress", "completed", "cancelled", "failed")
ErrorCode = Literal["server_error", "unsupported_file", "invalid_file"]
Attributes = dict[str, str | int | float | bool]

CHUNK_TOKENS_DEFAULT, OVERLAP_TOKENS_DEFAULT = 800, 400
"""Azure's"""
SEGMENT_CHUNKS = 1_024
"""of a file at most, that are read and compared as one"""


class Chunking(msgspec.Struct, frozen=True):
    """How a text is cut, in tokens."""

    size: int = CHUNK_TOKENS_DEFAULT
    overlap: int = OVERLAP_TOKENS_DEFAULT


class FileProblem(msgspec.Struct, frozen=True):
    """Why a file is not in its store; Azure's `last_error`."""

    code: ErrorCode
    message: str


class NewStoreFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that shall come into a store."""

    file_id: str
    filename: str
    attributes: Attributes = {}
    chunking: Chunking = Chunking()
    maker: Principal
    """for whom its text is embedded"""


class StoreFile(NewStoreFile, frozen=True, kw_only=True):
    """A file of a store, as it stands."""

    created_at: int
    """seconds since the epoch"""
    status: FileStatus = "in_progress"
    usage_bytes: int = 0
    problem: FileProblem | None = None


class FileCounts(msgspec.Struct, frozen=True):
    """How many files stand how, as Azure tells it."""

    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    total: int = 0


class FileBatch(msgspec.Struct, frozen=True):
    """Files that came into a store together."""

    id: str
    created_at: int
    cancelled: bool
    counts: FileCounts


class FilePage(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list of files is wanted; at most one of `after` and `before`."""

    limit: int
    after: str = ""
    """id of the file that the part follows, even if that has gone"""
    before: str = ""
    ascending: bool = False
    status: FileStatus | None = None
    batch: str = ""
    """only files that came with this batch"""


class Chunk(msgspec.Struct, frozen=True):
    """A piece of a file's text."""

    start: int
    """the character of the whole text that it begins with"""
    text: str
    vector: bytes
    """little-endian float32, of unit length"""


class FoundChunk(msgspec.Struct, frozen=True):
    """A chunk that an answer shows."""

    id: int
    file_id: str
    filename: str
    attributes: Attributes
    text: str


class Segment(msgspec.Struct, frozen=True):
    """What is compared of some chunks of a file, whose ids follow each other."""

    first: int
    """id of its first chunk"""
    size: int
    """how many chunks; at most SEGMENT_CHUNKS"""
    file: int
    """row of their file"""
    vectors: bytes
    """all of one length, one behind the other"""
    postings: Postings


class Segments(msgspec.Struct, frozen=True):
    """What has come since a search before."""

    removals: int
    """how often chunks were taken out: where this has changed, all of it begins anew"""
    those: list[Segment]
    """the next ones, with ids that grow; none where there are no more"""


class VectorIndex(Protocol):
    """What lies in one store. Every write is whole or not at all, and survives the process."""

    async def add(
        self, files: Sequence[NewStoreFile], batch: str, created_at: int, most: int
    ) -> bool:
        """Have files come in, as a batch where it has an id.

        A file that is there and has neither failed nor been cancelled stays as it is. False, and
        nothing done, where the store would have more than `most` files.
        """
        ...

    async def files(self, page: FilePage) -> list[StoreFile]:
        """A part of the files, in the order in which they came; newest first."""
        ...

    async def file(self, file_id: str) -> StoreFile | None:
        """One of them."""
        ...

    async def settle(
        self, file_id: str, chunks: Sequence[Chunk], problem: FileProblem | None = None
    ) -> bool:
        """End a file's coming: these are its chunks, or it has failed. False: it was not coming."""
        ...

    async def set_attributes(self, file_id: str, attributes: Attributes) -> None:
        """Replace them."""
        ...

    async def remove(self, file_id: str) -> bool:
        """Forget a file and its chunks; False when it was not there."""
        ...

    async def text(self, file_id: str) -> str:
        """A file's whole text, out of its chunks."""
        ...

    async def batch(self, batch_id: str) -> FileBatch | None:
        """A batch and how its files stand."""
        ...

    async def cancel_batch(self, batch_id: str) -> None:
        """Have the files of a batch come no more that have not come yet."""
        ...

    async def summary(self) -> tuple[FileCounts, int]:
        """How many files stand how, and how many bytes they take."""
        ...

    async def attributes(self) -> dict[int, Attributes]:
        """Those of every completed file, by the row of the file."""
        ...

    async def segments(self, after: int, removals: int, limit: int) -> Segments:
        """The next segments after a chunk's id, about as many as hold `limit` chunks.

        From the first one on where chunks were taken out since `removals`.
        """
        ...

    async def chunks(self, ids: Sequence[int]) -> list[FoundChunk]:
        """Chunks by their ids, in that order."""
        ...


class FileKey(NamedTuple):
    """What a sealed store is opened with."""

    read: Callable[[], Awaitable[bytes]]
    """asked for each time that something is read or written: the account's key may be gone by now.

    Raises CustomerKeyUnavailable, ContentDamaged.
    """
    being_sealed: bool
    """it may lie in the clear as yet: the server ended while it was sealed"""


class VectorIndexes(Protocol):
    """The contents of all stores, by names of our own."""

    def of(self, name: str, key: FileKey | None = None) -> VectorIndex:
        """The one of a name; empty until something is added. Touches nothing yet.

        With a key it is sealed, and all that is asked of it raises ContentDamaged where it is not
        as it was written, and what the key raises.
        """
        ...

    async def seal(self, name: str, key: bytes) -> None:
        """Seal what lies in the clear; a store that is sealed or not there stays as it is."""
        ...

    async def remove(self, name: str) -> None:
        """Destroy one, if it is there."""
        ...

    async def names(self) -> list[str]:
        """Every name under which there is one."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors by a deployment of the account's."""

    async def embed(
        self, account_id: str, caller: Principal, where: str, texts: Sequence[str], *, query: bool
    ) -> list[bytes]:
        """The vectors of texts: little-endian float32, of unit length.

        Raises EmbeddingRefused, and EmbeddingBusy where the same may go well later.
        """
        ...


class TextExtractor(Protocol):
    """Reads the text out of a file's bytes."""

    async def extract(self, filename: str, content: Callable[[], AsyncIterator[bytes]]) -> str:
        """The text; `content` may be asked for several times.

        Raises FileUnreadable, and what `content` raises.
        """
        ...
