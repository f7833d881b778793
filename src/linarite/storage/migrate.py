"""Brings a database file to the schema this version knows.

Alembic takes a tenth of a second to import, so it is imported only when there is something to
do: whether there is, one plain query tells.
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


STATE_HISTORY = History(SCRIPTS / "state", "0009")
REQUESTS_HISTORY = History(SCRIPTS / "requests", "0007")
AUDIT_HISTORY = History(SCRIPTS / "audit", "0001")
METRICS_HISTORY = History(SCRIPTS / "metrics", "0001")
OBJECTS_HISTORY = History(SCRIPTS / "objects", "0002")
CONTENT_HISTORY = History(SCRIPTS / "content", "0001")


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
    _upgrade(path, history)
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


def _upgrade(path: Path, history: History) -> None:
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
