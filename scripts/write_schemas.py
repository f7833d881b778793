"""Writes what each database's revisions lead to into its `schema.sql`: new files are made by it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from linarite.storage.migrate import HISTORIES, schema_of, upgrade


def main() -> None:
    """Run the revisions of each on a new file, and write down what they have made."""
    for history in HISTORIES:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "new.db"
            upgrade(path, history)
            with closing(sqlite3.connect(path)) as connection:
                history.schema.write_text(schema_of(connection), encoding="utf-8")
        print(f"wrote {history.schema}")


if __name__ == "__main__":
    main()
