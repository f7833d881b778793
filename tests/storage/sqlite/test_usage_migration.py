"""Files from before usage was added up."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.usage_report import COLUMNS, UsageQuestion
from linarite.storage.migrate import REQUESTS_HISTORY, History
from linarite.storage.sqlite.requests import open_request_ledger
from linarite.storage.sqlite_file import prepare
from tests.contract.storage.test_usage_book import ALL, CONTOSO, FABRIKAM, noon
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.domain.request_record import RequestRecord

pytestmark = pytest.mark.anyio


def earlier(folder: Path, records: list[RequestRecord]) -> None:
    """A `requests.db` of the revision before, with these in it."""
    revisions = folder / "revisions"
    revisions.mkdir()
    for number in range(1, 6):
        (file,) = REQUESTS_HISTORY.folder.glob(f"r000{number}_*.py")
        shutil.copy(file, revisions)
    path = folder / "requests.db"
    prepare(path, History(revisions, "0005"))
    with closing(sqlite3.connect(path)) as connection, connection:
        for record in records:
            fields = msgspec.structs.asdict(record)
            marks = ", ".join("?" * len(fields))
            connection.execute(
                f"INSERT INTO request_records ({', '.join(fields)}) VALUES ({marks})",  # noqa: S608 - the names are this test's own
                list(fields.values()),
            )


async def test_earlier_records_are_added_up_as_new_ones_are(tmp_path: Path) -> None:
    """By every dimension; of records that share an id the newest stays."""
    records = [
        make_record(
            f"r{number}",
            account_id=(CONTOSO, FABRIKAM, "")[number % 3],
            deployment=("chat", "", "other")[number % 5 % 3],
            started_at_ns=noon(3, 1 + number % 4),
            status=(200, 429)[number % 2],
            tags=("", '{"team":"red"}')[number % 2],
            cost_nano=number,
        )
        for number in range(60)
    ]
    (tmp_path / "old").mkdir()
    earlier(tmp_path / "old", [make_record("r7", status=500), *records])
    old, new = open_request_ledger(tmp_path / "old"), open_request_ledger(tmp_path / "new")
    for record in records:
        new.add(record)
    question = UsageQuestion(ALL.since, ALL.until, by=(*COLUMNS, "tag:team"))
    assert len(await new.usage(question)) > 10
    assert await old.usage(question) == await new.usage(question)
    assert await old.find("r7") == records[7]
    for ledger in (old, new):
        ledger.add(make_record("later", account_id=CONTOSO, started_at_ns=noon(3, 1)))
    assert await old.usage(question) == await new.usage(question)
    await old.close()
    await new.close()
