"""Opening `linarite.db`, and what happens when it cannot be."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select, update

from linarite.domain.errors import ServiceUnavailable, SetupError
from linarite.storage.database import open_database
from linarite.storage.migrate import (
    AUDIT_HISTORY,
    CONTENT_HISTORY,
    HISTORIES,
    METRICS_HISTORY,
    OBJECTS_HISTORY,
    REQUESTS_HISTORY,
    SCRIPTS,
    STATE_HISTORY,
    upgrade,
)
from linarite.storage.sqlite.requests import open_request_ledger
from linarite.storage.sqlite.resources import SqliteResourceStore
from linarite.storage.tables.audit import AUDIT
from linarite.storage.tables.content import CONTENT
from linarite.storage.tables.metrics import METRICS
from linarite.storage.tables.objects import OBJECTS
from linarite.storage.tables.requests import REQUESTS
from linarite.storage.tables.state import STATE, resources
from tests.cancelling import cancelled_at_every_await
from tests.storage.builders import ACCOUNT_TYPE, make_resource

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.storage.migrate import History

pytestmark = pytest.mark.anyio

TABLES = {
    STATE_HISTORY: STATE,
    REQUESTS_HISTORY: REQUESTS,
    AUDIT_HISTORY: AUDIT,
    METRICS_HISTORY: METRICS,
    OBJECTS_HISTORY: OBJECTS,
    CONTENT_HISTORY: CONTENT,
}


async def test_what_was_put_is_there_after_reopening(tmp_path: Path) -> None:
    """Closing and opening again loses nothing."""
    database = open_database(tmp_path)
    put = await SqliteResourceStore(database).put(make_resource("/a"))
    await database.close()
    database = open_database(tmp_path)
    assert await SqliteResourceStore(database).get("/a") == put
    await database.close()


async def test_connections_are_durable(tmp_path: Path) -> None:
    """Every connection has the pragmas that its promises rest on."""
    database = open_database(tmp_path)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    for transaction in (database.reading, database.writing):
        async with transaction() as connection:
            for pragma, value in wanted.items():
                answer = await connection.exec_driver_sql(f"PRAGMA {pragma}")
                assert answer.scalar_one() == value
    await database.close()


async def test_only_the_owner_can_read(tmp_path: Path) -> None:
    """Folder 0700 and files 0600, side files included, also where they were wider before."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o755)
    (folder / "linarite.db").touch(mode=0o644)
    database = open_database(folder)
    ledger = open_request_ledger(folder)
    await SqliteResourceStore(database).put(make_resource("/a"))
    await ledger.flush()
    names = {path.name for path in folder.iterdir()}
    assert {"linarite.db", "linarite.db-wal", "linarite.db-shm", "requests.db", "lock"} <= names
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    await ledger.close()
    await database.close()


async def test_missing_folders_are_made(tmp_path: Path) -> None:
    """A home several levels deep comes to be."""
    database = open_database(tmp_path / "a" / "b c %d")
    await SqliteResourceStore(database).put(make_resource("/a"))
    await database.close()


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    """The message names the folder and the setting."""
    (tmp_path / "home").touch()
    with pytest.raises(SetupError, match="LINARITE_HOME"):
        open_database(tmp_path / "home")


@pytest.mark.parametrize("damage", ["text", "header", "middle"])
async def test_a_damaged_file_is_told(tmp_path: Path, damage: str) -> None:
    """Whatever is broken, the message names the file and says what to do."""
    path = tmp_path / "linarite.db"
    database = open_database(tmp_path)
    store = SqliteResourceStore(database)
    for number in range(200):
        await store.put(make_resource(f"/a/{number}", text="x" * 500))
    await database.close()
    whole = path.read_bytes()
    damaged = {
        "text": b"not a database at all\n" * 100,
        "header": b"\0" * 100 + whole[100:],
        "middle": whole[:8192] + b"\xa5" * 16384 + whole[24576:],
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(SetupError, match="damaged") as told:
        open_database(tmp_path)
    assert str(path) in told.value.message
    assert "backup" in told.value.message
    # A refusal leaves the folder free: the person's next attempt meets no lock.
    path.write_bytes(whole)
    database = open_database(tmp_path)
    assert len(await SqliteResourceStore(database).list_under("", ACCOUNT_TYPE)) == 200
    await database.close()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """A SQLite file without our revision is refused and not changed."""
    path = tmp_path / "linarite.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(SetupError, match="not one that Linarite made"):
        open_database(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("theirs",)]


@pytest.mark.parametrize(
    ("revision", "told"), [("9999", "newer version"), ("beef", "no Linarite has written")]
)
async def test_a_revision_from_elsewhere_is_refused(
    tmp_path: Path, revision: str, told: str
) -> None:
    """A file of a newer version is not touched, and the message says so."""
    await open_database(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "linarite.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    with pytest.raises(SetupError, match=told):
        open_database(tmp_path)


async def test_a_locked_file_is_the_callers_503(tmp_path: Path) -> None:
    """While another program holds the file a write is refused, and the next one goes through."""
    database = open_database(tmp_path, busy_timeout_s=0.05)
    store = SqliteResourceStore(database)
    await store.put(make_resource("/a", version=1))
    with closing(sqlite3.connect(tmp_path / "linarite.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServiceUnavailable) as refused:
            await store.put(make_resource("/a", version=2))
        assert refused.value.headers["retry-after"]
        present = await store.get("/a")
        assert present is not None
        assert present.properties == {"version": 1}
        other.rollback()
    await store.put(make_resource("/a", version=3))
    await database.close()


async def test_a_cancelled_write_leaves_the_store_usable(tmp_path: Path) -> None:
    """Callers that give up at any moment leave neither a lock nor a half-written row."""
    database = open_database(tmp_path)
    store = SqliteResourceStore(database)
    for number in range(60):
        task = asyncio.create_task(store.put(make_resource("/a", version=number)))
        for _ in range(number % 20):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    put = await asyncio.wait_for(store.put(make_resource("/a", version="last")), 20)
    assert await store.get("/a") == put
    await database.close()


async def test_whoever_writes_knows_whether_it_was_written(tmp_path: Path) -> None:
    """Also who is cancelled, at whichever await: only what was left without an error is there."""
    database = open_database(tmp_path)
    put = await SqliteResourceStore(database).put(make_resource("/a"))
    told: list[str] = []
    tries = itertools.count(1)

    async def write() -> None:
        etag = str(next(tries))
        async with database.writing() as connection:
            await connection.execute(update(resources).values(etag=etag))
        told.append(etag)
        await asyncio.sleep(0.01)

    cancelled = 0
    async for ended in cancelled_at_every_await(write):
        cancelled += ended.cancelled()
        async with database.reading() as connection:
            etag = await connection.scalar(select(resources.c.etag))
        assert etag == [put.etag, *told][-1]
    assert cancelled > len(told) > 2  # those that ended by themselves are two
    await database.close()


async def test_a_file_that_is_closed_is_not_opened_again(tmp_path: Path) -> None:
    """A write that has begun is waited for; who comes later is refused, and holds nothing."""
    database = open_database(tmp_path)
    store = SqliteResourceStore(database)
    put = await store.put(make_resource("/a"))
    begun = asyncio.Event()

    async def write() -> None:
        async with database.writing() as connection:
            begun.set()
            await asyncio.sleep(0.01)
            await connection.execute(update(resources).values(etag="late"))

    writing = asyncio.create_task(write())
    await begun.wait()
    await database.close()
    await writing
    for late in (store.put(make_resource("/b")), store.get("/a")):
        with pytest.raises(ServiceUnavailable, match="closed"):
            await late
    database = open_database(tmp_path)
    assert await SqliteResourceStore(database).get("/a") == put
    async with database.reading() as connection:
        assert await connection.scalar(select(resources.c.etag)) == "late"
    await database.close()


async def test_a_cancelled_read_in_a_write_holds_nothing(tmp_path: Path) -> None:
    """Not even while somebody keeps the traceback, in which its statement lives on."""
    slow = (
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 500000) "
        "SELECT max(i) FROM n"
    )
    reads = asyncio.Event()

    async def write_what_was_read() -> None:
        async with database.writing() as connection:
            reads.set()
            await connection.exec_driver_sql(slow)

    database = open_database(tmp_path, busy_timeout_s=1.0)
    for _ in range(3):
        reads.clear()
        writer = asyncio.create_task(write_what_was_read())
        await reads.wait()
        await asyncio.sleep(0.02)
        writer.cancel()
        with pytest.raises(asyncio.CancelledError) as kept:
            await writer
        await SqliteResourceStore(database).put(make_resource("/a"))
        await database.scrub()
        assert (tmp_path / "linarite.db-wal").stat().st_size == 0
        assert kept.tb is not None
    await database.close()


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.folder.name)
def test_the_head_in_code_is_alembics(history: History) -> None:
    """The cheap check at start compares with what the revision files say."""
    scripts = ScriptDirectory(str(SCRIPTS), version_locations=[str(history.folder)])
    assert scripts.get_heads() == [history.head]
    numbers = sorted(revision.revision for revision in scripts.walk_revisions())
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.folder.name)
def test_migrations_end_at_the_tables_in_code(tmp_path: Path, history: History) -> None:
    """A file made by the migrations has the tables, columns and indexes that the adapters use."""
    path = tmp_path / "new.db"
    upgrade(path, history)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, TABLES[history]) == []
    engine.dispose()


def test_opening_a_home_does_not_import_alembic(tmp_path: Path) -> None:
    """Start-up is quick and the server small: migrations are loaded where there is one to run."""
    program = (
        "import asyncio, pathlib, sys\n"
        "from linarite.storage.database import open_database\n"
        "from linarite.storage.sqlite.requests import open_request_ledger\n"
        "async def main():\n"
        "    folder = pathlib.Path(sys.argv[1])\n"
        "    database, ledger = open_database(folder), open_request_ledger(folder)\n"
        "    await ledger.close()\n"
        "    await database.close()\n"
        "asyncio.run(main())\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'alembic'))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    for _ in ("a new home", "the same once more"):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"
