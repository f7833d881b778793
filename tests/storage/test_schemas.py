"""New files are made by one script; it must be what the revisions lead to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import SetupError
from linarite.storage.migrate import HISTORIES, History, schema_of, stored_revision, upgrade
from linarite.storage.sqlite_file import prepare

if TYPE_CHECKING:
    from pathlib import Path


def contents(path: Path) -> tuple[str, dict[str, list[object]]]:
    """A file's schema, and the rows of each of its tables."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = [name for (name,) in found.fetchall()]
        rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables}  # noqa: S608 - names of our own
        return schema_of(connection), rows


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.folder.name)
def test_a_new_file_is_what_all_revisions_lead_to(tmp_path: Path, history: History) -> None:
    """The same schema, revision and rows, whichever way it was made."""
    upgrade(tmp_path / "by-revisions.db", history)
    prepare(tmp_path / "by-script.db", history)
    by_revisions = contents(tmp_path / "by-revisions.db")
    assert history.schema.read_text(encoding="utf-8") == by_revisions[0], (
        "run `python scripts/write_schemas.py` and commit the result"
    )
    assert contents(tmp_path / "by-script.db") == by_revisions
    assert by_revisions[1]["alembic_version"] == [(history.head,)]


def test_a_script_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """The next start finds a new file again, not half of one."""
    history = History(tmp_path, "0001")
    history.schema.write_text("BEGIN IMMEDIATE;\nCREATE TABLE one (a);\nNONSENSE;\nCOMMIT;\n")
    path = tmp_path / "x.db"
    with pytest.raises(SetupError, match="NONSENSE"):
        prepare(path, history)
    with closing(sqlite3.connect(path)) as connection:
        assert stored_revision(connection) is None
        assert not connection.execute("SELECT * FROM sqlite_master").fetchall()
