"""SQLite files of which every page is sealed, with their journals, by SQLCipher.

A page is AES-256-CBC under a key of the file's own, proved by HMAC-SHA512 together with its number
before SQLite sees it. SQLCipher is SQLite with that added; it comes with the extra `documents` and
is imported where the first such file is opened.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, cast

from linarite.domain.content_seals import ContentDamaged
from linarite.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

KEY_BYTES = 32
SEALING = ".sealing"
"""suffix of a file that will take another's place"""
IN_THE_CLEAR = b"SQLite format 3\0"
"""how a file begins that is not sealed"""


def open_sealed(path: Path, key: bytes, timeout_s: float) -> sqlite3.Connection:
    """Open one, or make it. Whether the key is right is seen with the first reading."""
    # The extra `documents`. It is `sqlite3` under another name, and has no types.
    from sqlcipher3 import dbapi2  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs] - as above

    opened: Any = dbapi2.connect(  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue, reportUnknownVariableType] - as above
        str(path), isolation_level=None, timeout=timeout_s
    )
    connection = cast("sqlite3.Connection", opened)
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f'PRAGMA key = "{_literal(key)}"')
    connection.execute("PRAGMA temp_store = MEMORY")  # nothing else would seal it
    return connection


def seal_file(path: Path, key: bytes, timeout_s: float) -> None:
    """Put a sealed one in the place of a file in the clear, which nobody else writes meanwhile.

    The file is the old one until the new one is whole.
    """
    making = path.with_suffix(SEALING)
    making.unlink(missing_ok=True)
    making.touch(mode=0o600)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=timeout_s)) as plain:
        # Not a page of it may be left in a journal, which would be taken for the new file's.
        plain.execute("PRAGMA journal_mode = DELETE")
        (version,) = plain.execute("PRAGMA user_version").fetchone()
    with closing(open_sealed(making, key, timeout_s)) as sealed:
        sealed.execute("ATTACH DATABASE ? AS plain KEY ''", (str(path),))
        sealed.execute("SELECT sqlcipher_export('main', 'plain')")
        sealed.execute("DETACH DATABASE plain")
        sealed.execute(f"PRAGMA user_version = {int(version)}")
        sealed.execute("PRAGMA journal_mode = WAL")
    making.rename(path)


def is_sealed(path: Path) -> bool:
    """Whether a file does not begin as one in the clear does."""
    with path.open("rb") as file:
        return file.read(len(IN_THE_CLEAR)) != IN_THE_CLEAR


@contextmanager
def told(name: str) -> Generator[None]:
    """Have what SQLite and the disk say told as what it means.

    Raises ServiceUnavailable where it may go well later, ContentDamaged where it will not.
    """
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise ServiceUnavailable(f"{name}: {error}") from error
    except sqlite3.DatabaseError as error:
        # Who had asked before it was sealed, and opens it now; or it was changed on the disk.
        if error.sqlite_errorname != "SQLITE_NOTADB":
            raise
        raise ServiceUnavailable(f"{name} is sealed now") from error
    except Exception as error:
        if (meaning := _meaning(name, error)) is None:
            raise
        raise meaning from error


def _meaning(name: str, error: Exception) -> Exception | None:
    """Of what SQLCipher's module raises, whose errors are none of `sqlite3`'s."""
    kinds = {
        each.__name__ for each in type(error).__mro__ if each.__module__ == "sqlcipher3.dbapi2"
    }
    if "OperationalError" in kinds:
        return ServiceUnavailable(f"{name}: {error}")
    return ContentDamaged() if "DatabaseError" in kinds else None


def _literal(key: bytes) -> str:
    """The key itself, not a passphrase to make one of."""
    if len(key) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    return f"x'{key.hex()}'"
