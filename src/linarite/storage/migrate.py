"""Brings a database file to the schema this version knows.

A new file gets the schema that its revisions lead to in one script. Alembic takes a tenth of a
second to import and then ten megabytes for as long as the server runs, so it is imported only where
an older file is upgraded: whether it is one, one plain query tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    import sqlite3

SCRIPTS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class History:
    """A database's line of revisions, and the last one that this version knows."""

    folder: Path
    """where the revision files are"""
    head: str

    @property
    def schema(self) -> Path:
        """What all revisions together make of a new file, as one script.

        `scripts/write_schemas.py` writes it; a test compares.
        """
        return self.folder / "schema.sql"


STATE_HISTORY = History(SCRIPTS / "state", "0009")
REQUESTS_HISTORY = History(SCRIPTS / "requests", "0007")
AUDIT_HISTORY = History(SCRIPTS / "audit", "0001")
METRICS_HISTORY = History(SCRIPTS / "metrics", "0001")
OBJECTS_HISTORY = History(SCRIPTS / "objects", "0002")
CONTENT_HISTORY = History(SCRIPTS / "content", "0001")
HISTORIES = (
    STATE_HISTORY,
    REQUESTS_HISTORY,
    AUDIT_HISTORY,
    METRICS_HISTORY,
    OBJECTS_HISTORY,
    CONTENT_HISTORY,
)


def migrate(path: Path, connection: sqlite3.Connection, history: History) -> bool:
    """Upgrade the file behind `connection` where it is older; True when something was done.

    Raises SetupError when the file was written by a newer version or is some other program's.
    """
    stored = stored_revision(connection)
    if stored == history.head:
        return False
    if stored is None and _has_tables(connection):
        raise SetupError(
            f"{path} is a database, but not one that Linarite made. Move it away, or point "
            "LINARITE_HOME at another folder."
        )
    if stored is not None and not stored.isdecimal():
        raise SetupError(f"{path} has the revision '{stored}', which no Linarite has written.")
    if stored is not None and stored > history.head:
        raise SetupError(
            f"{path} was written by a newer version of Linarite (schema {stored}; this version "
            f"knows {history.head}). Start that newer version, or put back the copy that was "
            "made beside it before the upgrade."
        )
    if stored is not None:
        _keep_copy(path, connection, stored)
    elif history.schema.exists():
        connection.executescript(history.schema.read_text(encoding="utf-8"))
        return True
    upgrade(path, history)
    return True


def stored_revision(connection: sqlite3.Connection) -> str | None:
    """The revision a database is at; None when it has none."""
    found = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    ).fetchone()
    if found is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    row = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE name <> 'alembic_version' LIMIT 1"
    ).fetchone()
    return row is not None


def _keep_copy(path: Path, connection: sqlite3.Connection, stored: str) -> None:
    """Leave `<name>.schema-<revision>` beside the file: the way back from an upgrade."""
    copy = path.with_name(f"{path.name}.schema-{stored}")
    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    connection.execute("VACUUM INTO ?", (str(copy),))


def schema_of(connection: sqlite3.Connection) -> str:
    """A script that makes a new file what this one is, all of it or nothing, but for its rows."""
    made = connection.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' "
        "ORDER BY type <> 'table', name"  # Alembic makes the indexes of a table in any order
    ).fetchall()
    kept = f"INSERT INTO alembic_version VALUES ('{stored_revision(connection)}')"  # noqa: S608 - our own
    statements = ["BEGIN IMMEDIATE", *(sql for (sql,) in made), kept, "COMMIT"]
    return "".join(f"{statement};\n" for statement in statements)


def upgrade(path: Path, history: History) -> None:
    """Run every missing revision in one transaction: all of them or none."""
    from alembic import command  # noqa: PLC0415 - see the module's docstring
    from alembic.config import Config  # noqa: PLC0415 - slow, and only where something is to be migrated
    from sqlalchemy import URL, Connection, create_engine, event  # noqa: PLC0415 - slow, and only where something is to be migrated
    from sqlalchemy.pool import NullPool  # noqa: PLC0415 - slow, and only where something is to be migrated

    config = Config()
    # Newline between entries, and %% for the option parser: paths may hold spaces and percent.
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("version_locations", str(history.folder).replace("%", "%%"))
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        # The driver would otherwise commit before each change of the schema.
        connect_args={"isolation_level": None},
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
