"""What the audit log costs: a write of the control plane, and a request of the data plane.

Run: python -m bench.audit
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from linarite.controls.audit.data_plane import DataPlaneAudit
from linarite.controls.audit.options import Audit
from linarite.controls.audit.signing import AuditKey
from linarite.controls.audit.trail import Trail
from linarite.domain.activity import ActivityEvent
from linarite.domain.audit import AuditEvent
from linarite.domain.request_record import RequestRecord
from linarite.storage.database import open_database
from linarite.storage.sqlite.activity import SqliteActivityLog
from linarite.storage.sqlite.audit import open_audit_store
from linarite.storage.sqlite.requests import open_request_ledger

if TYPE_CHECKING:
    from collections.abc import Callable

WRITES = 300
RECORDS = 200_000
TOGETHER = 16


def event() -> AuditEvent:
    """As a write leaves one."""
    return AuditEvent(
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        category="ControlPlane",
        action="Microsoft.CognitiveServices/accounts/deployments/write",
        outcome="Started",
        resource_id="/subscriptions/s/resourceGroups/g/providers/p/accounts/a/deployments/d",
        principal="management-key",
        credential="management-key",
        request_id="01a215eb-7fba-4ac5-a0b0-45fc9bac1cba",
        details={"method": "PUT"},
    )


def record(status: int, address: str = "10.0.0.1") -> RequestRecord:
    """As a request leaves one."""
    return RequestRecord(
        request_id="01a215eb-7fba-4ac5-a0b0-45fc9bac1cba",
        started_at_ns=time.time_ns(),
        account="linarite",
        deployment="gpt-4o",
        model="gpt-4o",
        operation="ChatCompletions_Create",
        method="POST",
        path="/openai/deployments/gpt-4o/chat/completions",
        api_version="2024-10-21",
        status=status,
        error_code="" if status == 200 else "401",
        streamed=False,
        caller_key="key1" if status == 200 else "",
        client_request_id="",
        client_address=address,
        user_agent="bench",
        prompt_tokens=10,
        completion_tokens=10,
        cached_tokens=0,
        to_first_token_us=1,
        to_last_token_us=1,
        total_us=1,
        finish="completed",
        account_id="/subscriptions/s/resourceGroups/g/providers/p/accounts/a",
    )


async def measure(folder: Path) -> None:
    """Print the table."""
    database = open_database(folder)
    activity = SqliteActivityLog(database)
    key = AuditKey.new()
    trail = Trail(await open_audit_store(folder, key.public), key, Audit())
    await trail.open()
    told = ActivityEvent(
        at="2026-11-26T00:00:00+00:00",
        subscription="s",
        resource_id="/subscriptions/s",
        correlation_id="c",
        body={"status": "Started"},
    )
    without: list[float] = []
    with_audit: list[float] = []
    together: list[float] = []
    for _ in range(WRITES):
        began = time.perf_counter()
        await activity.add([told])
        await activity.add([told])
        middle = time.perf_counter()
        await trail.record(event())
        await trail.record(event())
        without.append(middle - began)
        with_audit.append(time.perf_counter() - began)
        began = time.perf_counter()
        await asyncio.gather(*(trail.record(event()) for _ in range(TOGETHER)))
        together.append((time.perf_counter() - began) / TOGETHER)
    activity_ms, all_ms = (statistics.median(each) * 1e3 for each in (without, with_audit))
    print(f"a deed's two entries in the activity log   {activity_ms:8.2f} ms")
    ratio = all_ms / activity_ms
    print(f"  and its two events in the audit log      {all_ms:8.2f} ms  {ratio:.2f} times")
    alone_ms, one_of_many_ms = (all_ms - activity_ms) / 2, statistics.median(together) * 1e3
    print(f"an audit event alone                       {alone_ms:8.2f} ms")
    print(f"one of {TOGETHER} that come together             {one_of_many_ms:8.2f} ms")
    ledger = open_request_ledger(folder)
    audited = DataPlaneAudit(trail, Audit())
    good, refused = record(200), record(401)
    alone = per_call_us(lambda: ledger.add(good))
    await ledger.flush()
    both = per_call_us(lambda: audited.observe(good))
    flood = per_call_us(lambda: audited.observe(refused), RECORDS // 10)
    print(f"a request's record into the ledger         {alone:8.2f} µs")
    print(f"  looked at for the audit log              {both:8.2f} µs")
    print(f"a refused request of a flood               {flood:8.2f} µs")
    await trail.close()
    await ledger.close()
    await database.close()


def per_call_us(call: Callable[[], object], times: int = RECORDS) -> float:
    """Microseconds a call, the loop's own cost left out."""
    began = time.perf_counter()
    for _ in range(times):
        call()
    middle = time.perf_counter()
    for _ in range(times):
        pass
    empty = time.perf_counter() - middle
    return (middle - began - empty) / times * 1e6


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        asyncio.run(measure(Path(scratch)))
