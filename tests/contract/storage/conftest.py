"""Every adapter of every storage port, so that each suite runs for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from linarite.storage.account_seals import AccountSeals
from linarite.storage.blobs import FolderBlobs
from linarite.storage.database import open_content, open_database, open_objects
from linarite.storage.memory.activity import MemoryActivityLog
from linarite.storage.memory.alert_states import MemoryAlertStates
from linarite.storage.memory.audit import MemoryAuditStore
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.content import MemoryContentStore
from linarite.storage.memory.cursors import MemoryCursorStore
from linarite.storage.memory.customer_keys import MemoryCustomerKeys
from linarite.storage.memory.jobs import MemoryJobStore
from linarite.storage.memory.keys import MemoryKeyStore
from linarite.storage.memory.lasting_counts import MemoryLastingCounts
from linarite.storage.memory.metrics import MemoryMetricStore
from linarite.storage.memory.network_log import MemoryNetworkLog
from linarite.storage.memory.outbox import MemoryOutbox
from linarite.storage.memory.requests import MemoryRequestLedger
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.storage.memory.result_log import MemoryResultLog
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from linarite.storage.result_log import FolderResultLog
from linarite.storage.retention import Retention
from linarite.storage.sealed_objects import SealedStoredObjects
from linarite.storage.sealed_results import SealedResultLog
from linarite.storage.sqlite.activity import SqliteActivityLog
from linarite.storage.sqlite.alert_states import SqliteAlertStates
from linarite.storage.sqlite.audit import open_audit_store
from linarite.storage.sqlite.content import SqliteContentStore
from linarite.storage.sqlite.cursors import SqliteCursorStore
from linarite.storage.sqlite.jobs import SqliteJobStore
from linarite.storage.sqlite.keys import open_key_store
from linarite.storage.sqlite.lasting_counts import SqliteLastingCounts
from linarite.storage.sqlite.metrics import open_metric_store
from linarite.storage.sqlite.network_log import SqliteNetworkLog
from linarite.storage.sqlite.outbox import SqliteOutbox
from linarite.storage.sqlite.requests import open_request_ledger
from linarite.storage.sqlite.resources import SqliteResourceStore
from linarite.storage.sqlite.stored_objects import SqliteStoredObjects

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from linarite.domain.activity import ActivityLog
    from linarite.domain.alerts import AlertStates
    from linarite.domain.audit import AuditStore
    from linarite.domain.azure_metrics.grains import MetricStore
    from linarite.domain.batch import ResultLog
    from linarite.domain.blob import Blobs
    from linarite.domain.content_log import ContentStore
    from linarite.domain.diagnostics import CursorStore
    from linarite.domain.jobs import JobStore
    from linarite.domain.ledger import LastingCounts
    from linarite.domain.network_log import NetworkLog
    from linarite.domain.outbox import Outbox
    from linarite.domain.request_record import RequestLedger
    from linarite.domain.resource import KeyStore, ResourceStore
    from linarite.domain.secret_box import SecretBox
    from linarite.domain.stored_object import StoredObjects


@pytest.fixture(params=["memory", "sqlite"])
async def resource_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[ResourceStore]:
    """An empty ResourceStore."""
    if request.param == "memory":
        yield MemoryResourceStore()
        return
    database = open_database(tmp_path)
    yield SqliteResourceStore(database)
    await database.close()


@dataclass
class Stores:
    """A ResourceStore, and the JobStore that its transactions reach."""

    resources: ResourceStore
    jobs: JobStore


@pytest.fixture(params=["memory", "sqlite"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """Both, empty."""
    if request.param == "memory":
        jobs = MemoryJobStore()
        yield Stores(MemoryResourceStore(jobs), jobs)
        return
    database = open_database(tmp_path)
    yield Stores(SqliteResourceStore(database), SqliteJobStore(database))
    await database.close()


@pytest.fixture(params=["memory", "sqlite", "sealed"])
async def stored_objects(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[StoredObjects]:
    """An empty StoredObjects."""
    if request.param == "memory":
        yield MemoryStoredObjects()
        return
    database = open_objects(tmp_path)
    kept = SqliteStoredObjects(database)
    yield kept if request.param == "sqlite" else SealedStoredObjects(kept, _all_sealed())
    await database.close()


def _all_sealed() -> AccountSeals:
    keys = MemoryKeyStore()

    async def box_of(account_id: str) -> SecretBox | None:
        await keys.ensure(account_id)
        return await keys.box_of(account_id)

    return AccountSeals(MemoryResourceStore(), box_of, always=True)


@pytest.fixture(params=["memory", "sqlite"])
async def contents(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ContentStore]:
    """An empty ContentStore."""
    if request.param == "memory":
        yield MemoryContentStore()
        return
    database = open_content(tmp_path)
    yield SqliteContentStore(database)
    await database.close()


@pytest.fixture(params=["memory", "folder"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """Empty Blobs."""
    return MemoryBlobs() if request.param == "memory" else FolderBlobs(tmp_path / "files")


@pytest.fixture(params=["memory", "folder", "sealed"])
async def result_log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ResultLog]:
    """An empty ResultLog."""
    if request.param == "memory":
        yield MemoryResultLog()
        return
    kept = FolderResultLog(tmp_path / "batches")
    yield kept if request.param == "folder" else SealedResultLog(kept, _all_sealed())
    kept.close()


@pytest.fixture(params=["memory", "sqlite"])
async def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Outbox]:
    """An empty Outbox with room for four letters.

    Three of them may wait for one destination, and three of one account.
    """
    if request.param == "memory":
        yield MemoryOutbox(letters_max=4, waiting_max=3, account_waiting_max=3)
        return
    database = open_database(tmp_path)
    yield SqliteOutbox(database, letters_max=4, waiting_max=3, account_waiting_max=3)
    await database.close()


@pytest.fixture(params=["memory", "sqlite"])
async def cursors(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CursorStore]:
    """An empty CursorStore."""
    if request.param == "memory":
        yield MemoryCursorStore()
        return
    database = open_database(tmp_path)
    yield SqliteCursorStore(database)
    await database.close()


@pytest.fixture(params=["memory", "sqlite"])
async def alert_states(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[AlertStates]:
    """An empty AlertStates."""
    if request.param == "memory":
        yield MemoryAlertStates()
        return
    database = open_database(tmp_path)
    yield SqliteAlertStates(database)
    await database.close()


@pytest.fixture(params=["memory", "sqlite"])
async def activity_log(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[ActivityLog]:
    """An empty ActivityLog."""
    if request.param == "memory":
        yield MemoryActivityLog()
        return
    database = open_database(tmp_path)
    yield SqliteActivityLog(database)
    await database.close()


@pytest.fixture(params=["memory", "sqlite"])
async def network_log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NetworkLog]:
    """An empty NetworkLog that keeps three entries."""
    if request.param == "memory":
        yield MemoryNetworkLog(3)
        return
    database = open_database(tmp_path)
    yield SqliteNetworkLog(database, 3)
    await database.close()


@pytest.fixture
def customer_keys() -> MemoryCustomerKeys:
    """What the KeyStore can seal with as well: nothing yet."""
    return MemoryCustomerKeys()


@pytest.fixture(params=["memory", "sqlite"])
async def key_store(
    request: pytest.FixtureRequest, tmp_path: Path, customer_keys: MemoryCustomerKeys
) -> AsyncIterator[KeyStore]:
    """An empty KeyStore."""
    if request.param == "memory":
        yield MemoryKeyStore(customer_keys)
        return
    database = open_database(tmp_path)
    yield await open_key_store(database, customer_keys=customer_keys)
    await database.close()


@pytest.fixture(params=["memory", "sqlite"])
async def request_ledger(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[RequestLedger]:
    """An empty RequestLedger."""
    ledger: RequestLedger = (
        MemoryRequestLedger() if request.param == "memory" else open_request_ledger(tmp_path)
    )
    yield ledger
    await ledger.close()


@pytest.fixture(params=["memory", "sqlite"])
async def lasting_counts(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[LastingCounts]:
    """No counts."""
    if request.param == "memory":
        yield MemoryLastingCounts()
        return
    database = open_database(tmp_path)
    yield SqliteLastingCounts(database)
    await database.close()


@pytest.fixture(params=["memory", "sqlite"])
async def audit_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AuditStore]:
    """An empty AuditStore."""
    store: AuditStore = (
        MemoryAuditStore()
        if request.param == "memory"
        else await open_audit_store(tmp_path, b"k" * 32)
    )
    yield store
    await store.close()


@pytest.fixture(params=["memory", "sqlite"])
async def metric_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[MetricStore]:
    """An empty MetricStore that keeps two hours, and ninety minutes."""
    retention = Retention(age_s=7200, rows=90)
    store: MetricStore = (
        MemoryMetricStore(retention)
        if request.param == "memory"
        else open_metric_store(tmp_path, retention)
    )
    yield store
    await store.close()
