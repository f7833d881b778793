"""Hours of provisioned throughput in `requests.db`, beside the sums of usage they belong to."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from linarite.domain.errors import ServiceUnavailable
from linarite.domain.provisioned_hours import OPERATION
from linarite.storage.sqlite.request_writer import BUSY_WAIT_S, connect
from linarite.storage.tables.requests import USAGE_SUBJECT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from linarite.domain.provisioned_hours import ProvisionedHour

HOURS_OF_DAY = 24
KNOWN = "SELECT units, cost_nano FROM provisioned_hours WHERE deployment_key = ? AND hour = ?"
KEEP = "INSERT OR REPLACE INTO provisioned_hours VALUES (?, ?, ?, ?)"
SUBJECT = f"""INSERT INTO usage_subjects ({", ".join(USAGE_SUBJECT)})
VALUES ({", ".join("?" * len(USAGE_SUBJECT))}) ON CONFLICT DO NOTHING"""  # noqa: S608 - our columns
ADD = f"""
INSERT INTO usage_days (day, subject_id, requests, refused, prompt_tokens, completion_tokens,
    cached_tokens, reasoning_tokens, audio_prompt_tokens, audio_completion_tokens, cost_nano,
    provisioned_unit_hours)
SELECT ?, id, 0, 0, 0, 0, 0, 0, 0, 0, ?, ? FROM usage_subjects
WHERE {" AND ".join(f"{name} = ?" for name in USAGE_SUBJECT)}
ON CONFLICT (day, subject_id) DO UPDATE SET
    cost_nano = cost_nano + excluded.cost_nano,
    provisioned_unit_hours = provisioned_unit_hours + excluded.provisioned_unit_hours
"""  # noqa: S608 - as above


class SqliteProvisionedHours:
    """`ProvisionedHours` on the file of the request ledger."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def charge(self, hours: Sequence[ProvisionedHour]) -> None:
        """See ProvisionedHours."""
        try:
            await asyncio.to_thread(self._charge, hours)
        except sqlite3.Error as error:
            raise ServiceUnavailable(f"{self._path.name}: {error}") from error

    def _charge(self, hours: Sequence[ProvisionedHour]) -> None:
        with closing(connect(self._path, BUSY_WAIT_S)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for each in hours:
                    _add(connection, each)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


def _add(connection: sqlite3.Connection, hour: ProvisionedHour) -> None:
    key = hour.deployment_id.lower()
    known = connection.execute(KNOWN, (key, hour.hour)).fetchone() or (0, 0)
    units, cost_nano = max(hour.units, known[0]), max(hour.cost_nano, known[1])
    if (units, cost_nano) == tuple(known):
        return
    connection.execute(KEEP, (key, hour.hour, units, cost_nano))
    subject = [_subject(hour).get(name, "") for name in USAGE_SUBJECT]
    connection.execute(SUBJECT, subject)
    day = hour.hour // HOURS_OF_DAY
    connection.execute(ADD, (day, cost_nano - known[1], units - known[0], *subject))


def _subject(hour: ProvisionedHour) -> dict[str, Any]:
    return {
        "account_id": hour.account_id,
        "account": hour.account,
        "deployment": hour.deployment,
        "model": hour.model,
        "model_version": hour.model_version,
        "sku": hour.sku,
        "region": hour.region,
        "operation": OPERATION,
        "tags": hour.tags,
    }
