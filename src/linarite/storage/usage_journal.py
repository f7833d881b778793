"""The usage journal: a file of slots in shared memory, one for each request being answered.

What a process has stored into a mapped page is the kernel's: it outlives the process, however
that ends, without a system call. A slot is taken when an answer begins and given back when the
request's record is in the database. See docs/decisions/027 and 072.

The file is made of segments. Each says in its first slot how large its slots are; a request takes
the smallest that its description fits in.
"""

from __future__ import annotations

import mmap
import os
import struct
from struct import Struct
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite.domain.errors import SetupError
from linarite.domain.usage import CompletionTokensDetails, PromptTokensDetails, Usage
from linarite.domain.usage_journal import NO_PROGRESS, BegunRequest, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

JOURNAL_FILE = "usage.journal"
SLOT_SIZES = (512, 1024, 2048)
SEGMENT_BYTES = 512 * 1024
SEGMENTS_MAX = 512
"""130,560 requests or more: those being answered, and those whose records wait for a disk"""

# A slot: state, length of the description, counts, description. Whole numbers are copied over
# whole numbers, so that whoever is killed in between leaves the old or the new one. (`pack_into`
# would write zeros first.)
_COUNTS = Struct("@6q")
"""tokens: prompt, completion, cached, reasoning, audio in and out"""
_LENGTH = Struct("@q")
_STATE_BYTES = 8
_COUNTS_AT = _STATE_BYTES + _LENGTH.size
_TEXT_AT = _COUNTS_AT + _COUNTS.size
TEXT_BYTES_MAX = SLOT_SIZES[-1] - _TEXT_AT
FREE = bytes(_STATE_BYTES)
# The states name the layout too: a slot of another one is not read as ours.
BEGUN = b"linu-2:b"
FINISHED = b"linu-2:f"
SEGMENT = b"linu-2:s"
"""begins a segment; the bytes of a slot of it follow, as a length does"""
EARLIER_BEGUN = b"linu-1:b"
EARLIER_FINISHED = b"linu-1:f"
EARLIER_SLOT_BYTES = 2048
"""of version 1, which a server before this one may have left: slots alone, all of them large"""
_NOTHING = bytes(_COUNTS.size)
_CUT = 64

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(BegunRequest).decode

log = structlog.get_logger(__name__)


class LeftOver(msgspec.Struct, frozen=True):
    """A request that was being answered, or whose record was not yet kept, when a process ended."""

    request: BegunRequest
    usage: Usage
    finished: bool


class _Slot:
    """One request's place. Reused, so that noting a request makes no objects."""

    __slots__ = ("_after_state", "_counts", "_map", "_others", "_state")

    def __init__(self, segment: mmap.mmap, at: int, others: list[_Slot]) -> None:
        """`others`: the free ones, among which it goes back."""
        self._map = segment
        self._others = others
        # Made once: each piece of a stream stores its counts.
        self._state = slice(at, at + _STATE_BYTES)
        self._counts = slice(at + _COUNTS_AT, at + _TEXT_AT)
        self._after_state = at + _STATE_BYTES

    def begin(self, text: bytes) -> None:
        """Take it. The state comes last: until then the slot is free."""
        content = _LENGTH.pack(len(text)) + _NOTHING + text
        at = self._after_state
        self._map[at : at + len(content)] = content
        self._map[self._state] = BEGUN

    def tell(self, usage: Usage) -> None:
        """See Progress."""
        heard, spoken = usage.prompt_tokens_details, usage.completion_tokens_details
        try:
            counts = _COUNTS.pack(
                usage.prompt_tokens,
                usage.completion_tokens,
                heard.cached_tokens if heard else 0,
                spoken.reasoning_tokens if spoken else 0,
                heard.audio_tokens if heard else 0,
                spoken.audio_tokens if spoken else 0,
            )
        except struct.error:  # counts that no column takes either
            return
        self._map[self._counts] = counts

    def finish(self, usage: Usage) -> None:
        """See Progress."""
        self.tell(usage)
        self._map[self._state] = FINISHED

    def free(self) -> None:
        """Give it back."""
        self._map[self._state] = FREE
        self._others.append(self)


class _Shelf:
    """The slots of one size. One thread takes; others may give back."""

    __slots__ = ("_at", "_returned", "_segment", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._returned: list[_Slot] = []
        self._segment: mmap.mmap | None = None
        self._at = 0

    def take(self) -> _Slot | None:
        """One that is free, if there is one.

        The last given back comes first, and one that was never taken only then: few pages are
        in use, and of those that were never needed there are no objects either.
        """
        if self._returned:
            return self._returned.pop()
        if self._segment is None:
            return None
        slot = _Slot(self._segment, self._at, self._returned)
        self._at += self.size
        if self._at >= SEGMENT_BYTES:
            self._segment = None
        return slot

    def add(self, segment: mmap.mmap) -> None:
        """A segment whose slots are of this size; those of the last one are all in use."""
        self._segment, self._at = segment, self.size


class FileUsageJournal:
    """`UsageJournal` in a file. `begin` is called by one thread; `kept` may be by another."""

    def __init__(self, folder: Path) -> None:
        """Read what an earlier process left; it stays until `start`. Raises SetupError."""
        self._path = folder / JOURNAL_FILE
        self._segments: list[mmap.mmap] = []
        self._shelves = tuple(_Shelf(size) for size in SLOT_SIZES)
        self._held: dict[str, _Slot] = {}
        self.unnoted = 0
        """requests that found no slot: a kill would lose what they used"""
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
            self.left_over = _left_over(self._path.read_bytes())
        except OSError as error:
            raise _unusable(self._path, error) from error

    def start(self) -> None:
        """Forget what was left over, and take requests from now on. Raises SetupError."""
        try:
            os.ftruncate(self._file, 0)
            self._grow(self._shelves[0])
        except OSError as error:
            raise _unusable(self._path, error) from error
        self.left_over = []

    def begin(self, request: BegunRequest) -> Progress:
        """See UsageJournal."""
        try:
            text = _encode(request)
            if len(text) > TEXT_BYTES_MAX:
                text = _encode(_shortened(request))
                if len(text) > TEXT_BYTES_MAX:
                    text = b""  # the next slot is another's
        except UnicodeEncodeError:  # half a character; no column takes it either
            text = b""
        slot = self._slot_for(text) if text else None
        if slot is None:
            self.unnoted += 1
            return NO_PROGRESS
        slot.begin(text)
        self._held[request.request_id] = slot
        return slot

    def kept(self, request_ids: Iterable[str]) -> None:
        """The records of these are in the database."""
        held = self._held
        for request_id in request_ids:
            slot = held.pop(request_id, None)
            if slot is not None:
                slot.free()

    def close(self) -> None:
        """Let go of the file; what is still noted becomes records at the next start."""
        os.close(self._file)

    def _slot_for(self, text: bytes) -> _Slot | None:
        """A free one of the smallest size that is free, or else one of a new segment."""
        bytes_needed = _TEXT_AT + len(text)
        smallest: _Shelf | None = None
        for shelf in self._shelves:
            if shelf.size >= bytes_needed:
                slot = shelf.take()
                if slot is not None:
                    return slot
                smallest = smallest or shelf
        return smallest.take() if smallest is not None and self._may_grow(smallest) else None

    def _may_grow(self, shelf: _Shelf) -> bool:
        if len(self._segments) >= SEGMENTS_MAX:
            return False
        try:
            self._grow(shelf)
        except OSError as error:
            if not self.unnoted:
                log.error("usage journal can't grow", reason=str(error))  # noqa: TRY400 - the reason says all
            return False
        return True

    def _grow(self, shelf: _Shelf) -> None:
        """Another segment. Its bytes are written out: a mapped hole kills on a full disk."""
        at = len(self._segments) * SEGMENT_BYTES
        content = (SEGMENT + _LENGTH.pack(shelf.size)).ljust(SEGMENT_BYTES, b"\0")
        written = os.pwrite(self._file, content, at)
        if written < SEGMENT_BYTES:
            raise OSError(f"only {written} of {SEGMENT_BYTES} bytes could be written")
        segment = mmap.mmap(self._file, SEGMENT_BYTES, offset=at)
        self._segments.append(segment)
        shelf.add(segment)


def _left_over(content: bytes) -> list[LeftOver]:
    found: list[LeftOver] = []
    unreadable = 0
    for at in range(0, len(content), SEGMENT_BYTES):
        unreadable += _read_segment(content[at : at + SEGMENT_BYTES], found)
    if unreadable:
        log.error("usage journal has slots that can't be read", count=unreadable)
    return found


def _read_segment(content: bytes, found: list[LeftOver]) -> int:
    """Add what its slots hold; return how many can't be read."""
    slot_bytes, first, begun, finished = EARLIER_SLOT_BYTES, 0, EARLIER_BEGUN, EARLIER_FINISHED
    if content.startswith(SEGMENT) and len(content) >= _COUNTS_AT:
        (slot_bytes,) = _LENGTH.unpack_from(content, _STATE_BYTES)
        if slot_bytes not in SLOT_SIZES:
            return 1
        first, begun, finished = slot_bytes, BEGUN, FINISHED
    unreadable = 0
    for at in range(first, len(content) - slot_bytes + 1, slot_bytes):
        state = content[at : at + _STATE_BYTES]
        if state not in {begun, finished}:
            unreadable += state != FREE
            continue
        (length,) = _LENGTH.unpack_from(content, at + _STATE_BYTES)
        counts = _COUNTS.unpack_from(content, at + _COUNTS_AT)
        try:
            request = _decode(content[at + _TEXT_AT : at + _TEXT_AT + length])
        except msgspec.DecodeError:
            unreadable += 1  # torn by a power cut, or of another version's layout
            continue
        found.append(LeftOver(request, _usage(counts), state == finished))
    return unreadable


def _usage(counts: Sequence[int]) -> Usage:
    prompt, completion, cached, reasoning, heard, spoken = counts
    return Usage(
        prompt,
        completion,
        prompt + completion,
        PromptTokensDetails(cached, heard),
        CompletionTokensDetails(reasoning, spoken),
    )


def _shortened(request: BegunRequest) -> BegunRequest:
    """Without what people may write at length."""
    return msgspec.structs.replace(
        request,
        end_user=request.end_user[:_CUT],
        issuer=request.issuer[:_CUT],
        project=request.project[:_CUT],
        tags="",
    )


def _unusable(path: Path, error: OSError) -> SetupError:
    return SetupError(
        f"{path} cannot be opened, or has no room to grow ({error}). It must belong to the user "
        "who runs Linarite, on a local disk with some free space."
    )
