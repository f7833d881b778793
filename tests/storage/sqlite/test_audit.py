"""`audit.db`: no hand of ours changes it, and whatever changed it is found."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from linarite.cli.audit.evidence import proved
from linarite.domain.errors import ServiceUnavailable, SetupError
from linarite.storage.sqlite.audit import AUDIT_FILE, open_audit_store
from tests.controls.audit.events import KEY, OTHER_KEY, make_entries, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from linarite.controls.audit.verification import Verdict

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A log of twenty entries, signed at the tenth and at the last one."""

    async def fill() -> None:
        store = await open_audit_store(tmp_path, KEY.public)
        entries = make_entries(20)
        await store.append(entries[:10], signed(entries[9]))
        await store.append(entries[10:], signed(entries[19]))
        await store.close()

    asyncio.run(fill())
    return tmp_path / AUDIT_FILE


def verdict_of(file: Path) -> Verdict:
    """What the file proves."""
    return proved(file, [], None, lambda _done, _total: None)


def test_a_whole_file_is_whole(file: Path) -> None:
    """By its own name and by its folder's."""
    for place in (file, file.parent):
        verdict = verdict_of(place)
        assert verdict.good
        assert verdict.signed_to == verdict.entries == 20


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET body = x'7b7d' WHERE seq = 3",
        "UPDATE audit_entries SET at = '' WHERE seq = 3",
        "DELETE FROM audit_entries WHERE seq = 20",
        "DELETE FROM audit_entries",
        "INSERT OR REPLACE INTO audit_entries SELECT * FROM audit_entries WHERE seq = 2",
        "UPDATE audit_checkpoints SET kind = 'prune'",
        "DELETE FROM audit_checkpoints",
        "INSERT OR REPLACE INTO audit_checkpoints SELECT * FROM audit_checkpoints WHERE id = 1",
        "UPDATE audit_log SET public_key = x'00'",
        "DELETE FROM audit_log",
        "INSERT OR REPLACE INTO audit_log VALUES (1, x'00')",
    ],
)
def test_no_row_is_changed_by_a_statement(file: Path, statement: str) -> None:
    """The triggers refuse it, and the log is as it was."""
    connection = sqlite3.connect(file)
    with pytest.raises(sqlite3.IntegrityError, match="audit"):
        connection.execute(statement)
    connection.close()
    assert verdict_of(file).good


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE audit_entries SET body = replace(body, 'Somebody', 'Nobody') WHERE seq = 7", 7),
        ("UPDATE audit_entries SET hash = zeroblob(32) WHERE seq = 7", 7),
        ("UPDATE audit_entries SET at = '2020' WHERE seq = 7", 7),
        ("UPDATE audit_entries SET principal_key = 'nobody' WHERE seq = 7", 7),
        ("UPDATE audit_entries SET request_key = 1 WHERE seq = 7", 7),
        ("UPDATE audit_entries SET seq = 99 WHERE seq = 7", 7),
        ("UPDATE audit_entries SET body = 'text' WHERE seq = 7", 7),
        ("DELETE FROM audit_entries WHERE seq = 7", 7),
        ("DELETE FROM audit_entries WHERE seq < 7", 1),
        ("DELETE FROM audit_entries WHERE seq > 7", 8),
        ("DELETE FROM audit_entries WHERE seq = 20", 20),
        ("UPDATE audit_checkpoints SET hash = zeroblob(32) WHERE id = 1", 10),
        ("UPDATE audit_checkpoints SET signature = zeroblob(64) WHERE id = 1", 10),
        ("UPDATE audit_checkpoints SET kind = 'prune' WHERE id = 1", 10),
        ("UPDATE audit_log SET public_key = zeroblob(32)", 10),
    ],
)
def test_whatever_a_hand_without_our_triggers_changes_is_found(
    file: Path, statement: str, first_bad: int
) -> None:
    """The first entry that can't be trusted is named."""
    changed(file, lambda connection: connection.execute(statement))
    problem = verdict_of(file).problem
    assert problem is not None
    assert problem.seq == first_bad


def test_every_byte_of_every_row_counts(file: Path) -> None:
    """One bit is flipped in every seventh byte of one row's body and hash, one at a time."""
    connection = sqlite3.connect(file, isolation_level=None)
    drop_triggers(connection)
    ((body, chain_hash),) = connection.execute("SELECT body, hash FROM audit_entries WHERE seq = 5")
    row = body + chain_hash
    put = "UPDATE audit_entries SET body = ?, hash = ? WHERE seq = 5"
    for place in range(0, len(row), 7):
        wrong = row[:place] + bytes([row[place] ^ 1]) + row[place + 1 :]
        connection.execute(put, (wrong[: len(body)], wrong[len(body) :]))
        problem = verdict_of(file).problem
        assert problem is not None
        assert problem.seq == 5
    connection.execute(put, (body, chain_hash))
    connection.close()
    assert verdict_of(file).good


async def test_a_file_has_one_key(file: Path) -> None:
    """Another data folder's log is refused, with what to do."""
    with pytest.raises(SetupError, match="another key"):
        await open_audit_store(file.parent, OTHER_KEY.public)


async def test_a_file_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    """What is written to an open file without a name is lost: it is refused, also when replaced."""
    store = await open_audit_store(tmp_path, KEY.public)
    entries = make_entries(1)
    (tmp_path / AUDIT_FILE).rename(tmp_path / "elsewhere.db")
    with pytest.raises(ServiceUnavailable, match="gone"):
        await store.append(entries, None)
    (tmp_path / AUDIT_FILE).write_bytes(b"")
    with pytest.raises(ServiceUnavailable, match="gone"):
        await store.append(entries, None)
    await store.close()


async def test_what_is_no_log_is_told_so(tmp_path: Path) -> None:
    """A missing file, a text, a foreign database."""
    with pytest.raises(SetupError, match="no audit log"):
        verdict_of(tmp_path)
    text = tmp_path / "text.db"
    text.write_text("no database at all, whatever its name says " * 50)
    with pytest.raises(SetupError, match="can't be read"):
        verdict_of(text)
    foreign = tmp_path / "foreign.db"
    changed(foreign, lambda connection: connection.execute("CREATE TABLE other (x)"))
    with pytest.raises(SetupError, match="can't be read"):
        verdict_of(foreign)


def test_a_read_only_copy_can_be_proved(file: Path, tmp_path: Path) -> None:
    """A backup on a medium that nobody writes to."""
    folder = tmp_path / "medium"
    folder.mkdir()
    copy = folder / "copy.db"
    copy.write_bytes(file.read_bytes())
    copy.chmod(0o400)
    folder.chmod(0o500)
    try:
        assert verdict_of(copy).good
    finally:
        folder.chmod(0o700)


def changed(file: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """Change a file as somebody who drops our triggers."""
    connection = sqlite3.connect(file)
    drop_triggers(connection)
    change(connection)
    connection.commit()
    connection.close()


def drop_triggers(connection: sqlite3.Connection) -> None:
    """All of them."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")
