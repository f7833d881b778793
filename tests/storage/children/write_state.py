"""Writes resources and keys until it is killed, and prints each write once it was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from linarite.storage.database import open_database
from linarite.storage.sqlite.keys import open_key_store
from linarite.storage.sqlite.resources import SqliteResourceStore
from tests.storage.builders import make_resource


async def main(folder: Path, first: int) -> None:
    """Numbers rise from `first`, so that a later state is told from an earlier one."""
    database = open_database(folder)
    store = SqliteResourceStore(database)
    keys = await open_key_store(database)

    async def write(writer: int) -> None:
        for number in itertools.count(first):
            put = await store.put(make_resource(f"/r/{writer}-{number % 7}", number=number))
            say(f"resource {put.id} {number} {put.etag}")
            pair = await keys.regenerate(f"/a/{writer}", ("key1", "key2")[number % 2])
            say(f"keys /a/{writer} {number} {pair.key1}:{pair.key2}")

    await asyncio.gather(*(write(writer) for writer in range(3)))


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
