"""What is known of sizes without asking is what the database holds, whatever happens."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

from linarite.domain.stored_object import EXPIRED, StoredObject
from linarite.storage.database import OBJECTS_FILE, open_objects
from linarite.storage.migrate import OBJECTS_HISTORY, History, migrate
from linarite.storage.sqlite.stored_objects import SqliteStoredObjects

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

ACCOUNTS = ("/accounts/a", "/accounts/b")
SUMMED = (
    "SELECT account_key, kind, sum(length(CAST(body AS BLOB)) + json_extract(body, '$.blob_bytes'))"
    " FROM stored_objects GROUP BY account_key, kind"
)


def made(number: int, account: str) -> StoredObject:
    """One of some size."""
    chance = random.Random(number)
    blob = chance.choice(("", f"b{number}"))
    return StoredObject(
        account_id=account,
        kind=chance.choice(("file", "response")),
        id=f"{number:05}",
        created_at=1,
        blob=blob,
        blob_bytes=chance.randrange(10**6) if blob else 0,
        body={"text": "ä" * chance.randrange(200)},
    )


def told(folder: Path, query: str) -> dict[tuple[str, str], int]:
    """What another reader of the file sees, as after a death."""
    with closing(sqlite3.connect(folder / OBJECTS_FILE)) as connection:
        return {(account, kind): size for account, kind, size in connection.execute(query)}


async def test_what_is_known_is_what_is_there(tmp_path: Path) -> None:
    """After many writes, some broken off in the middle; and for the next server too."""
    database = open_objects(tmp_path)
    objects, chance = SqliteStoredObjects(database), random.Random(8)
    there: list[StoredObject] = []
    await objects.sizes("")
    for number in range(60):
        new = made(number, chance.choice(ACCOUNTS))
        gone = there.pop(chance.randrange(len(there))) if there and chance.random() < 0.4 else None
        twice = [there[0]] if there and chance.random() < 0.2 else []
        with suppress(IntegrityError):  # then nothing of it was done
            if gone is not None and chance.random() < 0.3:
                await objects.end([gone], EXPIRED)
            else:
                await objects.write(added=[new, *twice], removed=[gone] if gone else [])
        there = [
            each
            for each in [*there, new, *([gone] if gone else [])]
            if await objects.get(each.account_id, each.kind, each.id)
        ]
    known = {
        (account, kind): size
        for account in ACCOUNTS
        for kind, size in (await objects.sizes(account)).items()
    }
    assert known
    assert known == told(tmp_path, SUMMED)
    assert known == told(tmp_path, "SELECT * FROM stored_sizes")
    await database.close()


def test_what_was_stored_before_is_summed_once(tmp_path: Path) -> None:
    """By the upgrade of a file that an earlier version has written."""
    path = tmp_path / OBJECTS_FILE
    with closing(sqlite3.connect(path)) as connection:
        migrate(path, connection, History(OBJECTS_HISTORY.folder, OBJECTS_HISTORY.head))
        connection.execute("DROP TABLE stored_sizes")
        for name in ("added", "removed", "changed"):
            connection.execute(f"DROP TRIGGER stored_object_{name}")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.execute(
            "INSERT INTO stored_objects VALUES ('a', 'file', '1', '', '', 0, 'b', "
            """'{"id": "ä", "blob_bytes": 700}')"""
        )
        connection.execute(
            "INSERT INTO stored_objects VALUES ('a', 'response', '2', '', '', 0, '', '{}')"
        )
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:
        assert migrate(path, connection, OBJECTS_HISTORY)
    sizes = told(tmp_path, "SELECT * FROM stored_sizes")
    assert sizes == {("a", "file"): 700 + 31, ("a", "response"): 2}
