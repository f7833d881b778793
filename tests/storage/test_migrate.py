"""Upgrading a file: in order, all or nothing, with a copy kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError

from linarite.storage.migrate import History, migrate, stored_revision
from linarite.storage.sqlite_file import prepare

if TYPE_CHECKING:
    from pathlib import Path

REVISION = """
from alembic import op
revision = "{number}"
down_revision = {before!r}
branch_labels = None
depends_on = None
def upgrade():
    for statement in {statements!r}:
        op.execute(statement)
"""


def write_revision(folder: Path, number: int, *statements: str) -> History:
    """Add a revision file that runs the statements; the history up to it."""
    folder.mkdir(exist_ok=True)
    before = f"{number - 1:04d}" if number > 1 else None
    text = REVISION.format(number=f"{number:04d}", before=before, statements=statements)
    (folder / f"r{number:04d}_test.py").write_text(text)
    return History(folder, f"{number:04d}")


def tables(path: Path) -> set[str]:
    """The names of all tables."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in rows} - {"alembic_version"}


def revision(path: Path) -> str | None:
    """What the file says it is at."""
    with closing(sqlite3.connect(path)) as connection:
        return stored_revision(connection)


def test_an_older_file_is_upgraded_and_a_copy_kept(tmp_path: Path) -> None:
    """Missing revisions run in order over the data there is; the old file stays beside it."""
    path = tmp_path / "a b%c.db"
    prepare(path, write_revision(tmp_path / "r", 1, "CREATE TABLE one (a)"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO one VALUES (1)")
    write_revision(tmp_path / "r", 2, "CREATE TABLE two AS SELECT a FROM one")
    head = write_revision(tmp_path / "r", 3, "ALTER TABLE two ADD COLUMN b", "DROP TABLE one")
    prepare(path, head)
    assert revision(path) == "0003"
    assert tables(path) == {"two"}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT a, b FROM two").fetchall() == [(1, None)]
    copy = path.with_name(f"{path.name}.schema-0001")
    assert revision(copy) == "0001"
    assert tables(copy) == {"one"}
    assert copy.stat().st_mode & 0o077 == 0


def test_a_failing_upgrade_changes_nothing(tmp_path: Path) -> None:
    """Earlier statements and revisions of the same upgrade are undone too."""
    path = tmp_path / "x.db"
    prepare(path, write_revision(tmp_path / "r", 1, "CREATE TABLE one (a)"))
    write_revision(tmp_path / "r", 2, "CREATE TABLE two (a)")
    head = write_revision(tmp_path / "r", 3, "DROP TABLE one", "SELECT * FROM nowhere")
    with pytest.raises(OperationalError, match="nowhere"):
        prepare(path, head)
    assert revision(path) == "0001"
    assert tables(path) == {"one"}
    head = write_revision(tmp_path / "r", 3, "CREATE TABLE three (a)")
    prepare(path, head)
    assert tables(path) == {"one", "two", "three"}


def test_a_current_file_is_left_alone(tmp_path: Path) -> None:
    """Nothing is written, and no copy made, when there is nothing to do."""
    path = tmp_path / "x.db"
    head = write_revision(tmp_path / "r", 1, "CREATE TABLE one (a)")
    prepare(path, head)
    before = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert not migrate(path, connection, head)
    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {"x.db", "r"}
