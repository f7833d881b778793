"""The usage journal: what is noted outlives the process, and goes when the record is kept."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.errors import SetupError
from linarite.domain.usage import CompletionTokensDetails, PromptTokensDetails, Usage, usage_of
from linarite.domain.usage_journal import NO_PROGRESS, BegunRequest
from linarite.storage import usage_journal
from linarite.storage.sqlite.requests import open_request_ledger
from linarite.storage.usage_journal import SEGMENT_BYTES, SLOT_SIZES, FileUsageJournal
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.domain.request_record import RequestRecord
    from linarite.storage.usage_journal import LeftOver

FULL = Usage(70, 30, 100, PromptTokensDetails(20, 5), CompletionTokensDetails(9, 4))


def begun(request_id: str = "r1", **changed: object) -> BegunRequest:
    """A request of every description."""
    names = BegunRequest.__struct_fields__
    said: dict[str, Any] = {name: f"{name} é" for name in names}
    said |= {"request_id": request_id, "started_at_ns": 1_700_000_000 * 10**9, "streamed": True}
    said.update(changed)
    return BegunRequest(**said)


DESCRIBED_BYTES = 64
"""of a slot, before the description"""


def filling(request_id: str, slot_bytes: int) -> BegunRequest:
    """A request whose description fills a slot to its last byte."""
    told = dict.fromkeys(BegunRequest.__struct_fields__, "") | {
        "request_id": request_id,
        "started_at_ns": 2**40,
        "streamed": False,
        "model": "m" * 300,
    }
    bare = len(msgspec.msgpack.encode(BegunRequest(**told)))  # pyright: ignore[reportArgumentType] - each field has its kind
    told["model"] = "m" * (slot_bytes - DESCRIBED_BYTES - bare + 300)
    return BegunRequest(**told)  # pyright: ignore[reportArgumentType] - the same


def opened(folder: Path) -> FileUsageJournal:
    """A journal that takes requests."""
    journal = FileUsageJournal(folder)
    journal.start()
    return journal


def left_in(folder: Path) -> dict[str, LeftOver]:
    """What another process would find, by request id."""
    return {each.request.request_id: each for each in FileUsageJournal(folder).left_over}


def test_what_was_told_last_is_left_over(tmp_path: Path) -> None:
    """Every field of the request, every count, and whether it had come to its end."""
    journal = opened(tmp_path)
    journal.begin(begun("nothing"))
    journal.begin(begun("some")).tell(FULL)
    whole = journal.begin(begun("whole"))
    whole.tell(usage_of(1, 1))
    whole.finish(FULL)
    left = left_in(tmp_path)
    assert left["some"].request == begun("some")
    assert (left["nothing"].usage.total_tokens, left["nothing"].finished) == (0, False)
    assert (left["some"].usage, left["some"].finished) == (FULL, False)
    assert (left["whole"].usage, left["whole"].finished) == (FULL, True)


def test_what_is_kept_is_forgotten(tmp_path: Path) -> None:
    """Its slot serves another, with nothing of the first in it."""
    journal = opened(tmp_path)
    for number in range(5_000):
        journal.begin(begun(f"r{number}", tags="x" * (number % 900))).finish(FULL)
        journal.kept([f"r{number}", "one that was never noted"])
    assert left_in(tmp_path) == {}
    journal.begin(begun("new"))
    assert left_in(tmp_path)["new"].usage.total_tokens == 0
    assert journal._path.stat().st_size <= len(SLOT_SIZES) * SEGMENT_BYTES


def test_it_grows_to_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it requests are served all the same, and counted."""
    monkeypatch.setattr(usage_journal, "SEGMENTS_MAX", 2)
    journal = opened(tmp_path)
    slots = 2 * (SEGMENT_BYTES // SLOT_SIZES[0] - 1)
    for number in range(slots + 3):
        journal.begin(filling(f"r{number:05}", SLOT_SIZES[0])).tell(FULL)
    assert journal.begin(begun("beyond")) is NO_PROGRESS
    assert journal.unnoted == 4
    assert len(left_in(tmp_path)) == slots
    journal.kept(["r00000"])
    assert journal.begin(filling("fits", SLOT_SIZES[0])) is not NO_PROGRESS


@pytest.mark.parametrize("slot_bytes", SLOT_SIZES)
def test_slots_are_full_to_the_last_byte(tmp_path: Path, slot_bytes: int) -> None:
    """Of every size, side by side over segments, each with its own description and counts."""
    journal = opened(tmp_path)
    slots = 2 * (SEGMENT_BYTES // slot_bytes - 1)
    told = [filling(f"r{number:05}", slot_bytes) for number in range(slots)]
    for number, request in enumerate(told):
        journal.begin(request).tell(usage_of(number, 1))
    assert journal._path.stat().st_size == (2 + (slot_bytes > SLOT_SIZES[0])) * SEGMENT_BYTES
    left = left_in(tmp_path)
    assert [left[each.request_id].request for each in told] == told
    assert [left[each.request_id].usage.prompt_tokens for each in told] == list(range(slots))


def test_a_larger_slot_is_taken_before_the_file_grows(tmp_path: Path) -> None:
    """What has been made for long descriptions serves short ones."""
    journal = opened(tmp_path)
    journal.begin(filling("long", SLOT_SIZES[-1]))
    journal.kept(["long"])
    grown = journal._path.stat().st_size
    for number in range(SEGMENT_BYTES // SLOT_SIZES[0]):
        journal.begin(filling(f"r{number:05}", SLOT_SIZES[0]))
    assert journal._path.stat().st_size == grown == 2 * SEGMENT_BYTES
    assert len(left_in(tmp_path)) == SEGMENT_BYTES // SLOT_SIZES[0]


def test_no_description_is_taken_for_a_slot(tmp_path: Path) -> None:
    """Whatever a client writes into one."""
    journal = opened(tmp_path)
    slot = usage_journal.BEGUN + struct.pack("@q", 1) + bytes(48) + b"\x01"
    text = (slot.decode("latin-1") * 20)[:1200]
    journal.begin(begun("one", tags=text))
    assert left_in(tmp_path)["one"].request.tags == text
    assert len(left_in(tmp_path)) == 1


def test_the_journal_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Slots of 2 KiB without segments; wherever they lie in a file of two times 2 MiB."""
    content = bytearray(4 * 1024 * 1024)
    for number, at in enumerate((0, 2048, 512 * 1024, 4 * 1024 * 1024 - 2048)):
        text = msgspec.msgpack.encode(begun(f"r{number}", tags="t" * 900))
        state = b"linu-1:f" if number % 2 else b"linu-1:b"
        slot = state + struct.pack("@7q", len(text), 70, 30, 20, 9, 5, 4) + text
        content[at : at + len(slot)] = slot
    (tmp_path / usage_journal.JOURNAL_FILE).write_bytes(content)
    left = left_in(tmp_path)
    assert sorted(left) == ["r0", "r1", "r2", "r3"]
    assert left["r3"].request == begun("r3", tags="t" * 900)
    assert {each.usage for each in left.values()} == {FULL}
    assert [left[f"r{number}"].finished for number in range(4)] == [False, True, False, True]
    opened(tmp_path).begin(begun("new"))
    assert list(left_in(tmp_path)) == ["new"]


def test_long_texts_are_cut(tmp_path: Path) -> None:
    """What people write at length; whose request it is stays."""
    journal = opened(tmp_path)
    journal.begin(begun("long", tags="x" * 5000, end_user="u" * 256, account_id="/a" * 100))
    request = left_in(tmp_path)["long"].request
    assert (request.tags, request.end_user, request.account_id) == ("", "u" * 64, "/a" * 100)


def test_what_is_too_long_all_the_same_spoils_no_other_slot(tmp_path: Path) -> None:
    """Names that nobody cuts here: the request is served, and not noted."""
    journal = opened(tmp_path)
    journal.begin(begun("neighbour")).tell(FULL)
    assert journal.begin(begun("long", app_id="a" * 3000)) is NO_PROGRESS
    assert journal.begin(filling("one byte more", SLOT_SIZES[-1] + 1)) is NO_PROGRESS
    assert left_in(tmp_path)["neighbour"].usage == FULL
    assert journal.unnoted == 2


def test_what_no_slot_takes_is_not_in_the_way(tmp_path: Path) -> None:
    """Half a character, and counts beyond all columns: neither raises."""
    journal = opened(tmp_path)
    assert journal.begin(begun("half", end_user="\udcff")) is NO_PROGRESS
    progress = journal.begin(begun("much"))
    progress.tell(usage_of(7, 1))
    progress.tell(usage_of(2**70, 1))
    assert left_in(tmp_path)["much"].usage.prompt_tokens == 7


def test_torn_slots_are_passed_over(tmp_path: Path) -> None:
    """A power cut, or another version's layout, costs no more than the slots it has spoiled."""
    journal = opened(tmp_path)
    for name in ("torn", "foreign", "whole"):
        journal.begin(filling(name, SLOT_SIZES[0]))
    os.pwrite(journal._file, b"\xff" * 40, SLOT_SIZES[0] + DESCRIBED_BYTES)
    os.pwrite(journal._file, b"\x77", 2 * SLOT_SIZES[0])
    os.pwrite(journal._file, usage_journal.SEGMENT + struct.pack("@q", 7), SEGMENT_BYTES)
    assert list(left_in(tmp_path)) == ["whole"]


@pytest.mark.anyio
async def test_left_overs_become_records_once(tmp_path: Path) -> None:
    """Priced; not where there is a record already; and again where their keeper died as well."""
    first = open_request_ledger(tmp_path)
    for name in ("kept", "died", "finished"):
        first.journal.begin(begun(name)).tell(FULL)
    first.journal.begin(begun("refused by the queue")).finish(FULL)
    await first.close()
    before = (tmp_path / usage_journal.JOURNAL_FILE).read_bytes()
    found: dict[str, RequestRecord] = {}
    for _ in range(2):
        (tmp_path / usage_journal.JOURNAL_FILE).write_bytes(before)
        ledger = open_request_ledger(tmp_path, cost_of=lambda _, usage: usage.total_tokens)
        ledger.add(make_record("kept"))
        found = {each.request_id: each for each in await ledger.latest(10)}
        await ledger.close()
    assert len(found) == 4
    assert [found[name].finish for name in ("died", "refused by the queue")] == [
        "server_died",
        "completed",
    ]
    died = found["died"]
    assert (died.prompt_tokens, died.completion_tokens, died.cached_tokens) == (70, 30, 20)
    assert (died.reasoning_tokens, died.audio_prompt_tokens) == (9, 5)
    assert (died.audio_completion_tokens, died.cost_nano, died.status) == (4, 100, 200)
    assert (died.tags, died.deployment, died.started_at_ns) == (
        "tags é",
        "deployment é",
        1_700_000_000 * 10**9,
    )


def test_a_killed_process_leaves_what_it_told(tmp_path: Path) -> None:
    """Without having written, synced or closed anything."""
    code = (
        "import os, pathlib, sys\n"
        "from tests.storage.test_usage_journal import FULL, begun, opened\n"
        "opened(pathlib.Path(sys.argv[1])).begin(begun()).tell(FULL)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    died = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert died.returncode == -9
    assert left_in(tmp_path)["r1"].usage == FULL


def test_a_file_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    """With its name and what it needs."""
    (tmp_path / usage_journal.JOURNAL_FILE).mkdir()
    with pytest.raises(SetupError, match=r"usage\.journal cannot be opened"):
        FileUsageJournal(tmp_path)
