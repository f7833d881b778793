"""Diagnostic settings: which records of an account go where, as in Azure Monitor.

Source: the specification of Microsoft.Insights/diagnosticSettings, 2021-05-01-preview, and
learn.microsoft.com, "Diagnostic settings in Azure Monitor".
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.domain.budgets import NO_BUDGETS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from linarite.domain.alerts import AlertState
    from linarite.domain.budgets import BudgetBook
    from linarite.domain.request_record import RequestRecord

DIAGNOSTIC_SETTING_TYPE = "Microsoft.Insights/diagnosticSettings"
AUDIT = "Audit"
REQUEST_RESPONSE = "RequestResponse"
REQUEST_USAGE = "AzureOpenAIRequestUsage"
TRACE = "Trace"
OF_REQUESTS = (REQUEST_RESPONSE, REQUEST_USAGE, TRACE)
"""categories that are made of request records; `Audit` is made of the audit log"""
LOG_CATEGORIES = (AUDIT, *OF_REQUESTS)
ALL_METRICS = "AllMetrics"
METRIC_CATEGORIES = (ALL_METRICS,)
GROUPS: dict[str, tuple[str, ...]] = {"alllogs": LOG_CATEGORIES, "audit": (AUDIT,)}
"""lower-cased category groups, and what is in them"""

FOLDER = "folder"
SYSLOG = "syslog"
OTLP = "otlp"
AZURE_BLOB = "azure_blob"
S3 = "s3"
OBJECT_STORES = (AZURE_BLOB, S3)
DESTINATIONS: dict[str, tuple[str, ...]] = {
    "storageAccountId": (FOLDER, *OBJECT_STORES),
    "workspaceId": (OTLP,),
    "marketplacePartnerId": (FOLDER, *OBJECT_STORES, SYSLOG, OTLP),
}
"""the properties that name a sink by the last word of an id, and the kinds that each may name"""


class Destination(msgspec.Struct, frozen=True):
    """Where a setting sends to."""

    property: str
    sink: str
    """its name in the settings file"""


def destinations_of(properties: Mapping[str, Any]) -> list[Destination]:
    """Those that a setting's properties name."""
    return [
        Destination(name, str(properties[name]).rstrip("/").rpartition("/")[2])
        for name in DESTINATIONS
        if properties.get(name)
    ]


def categories_of(properties: Mapping[str, Any]) -> frozenset[str]:
    """The categories of logs and metrics that a setting's properties switch on."""
    found: set[str] = set()
    for log in properties.get("logs") or ():
        if log.get("enabled"):
            found.update(GROUPS.get(str(log.get("categoryGroup") or "").lower(), ()))
            wanted = str(log.get("category") or "").lower()
            found.update(each for each in LOG_CATEGORIES if each.lower() == wanted)
    for metric in properties.get("metrics") or ():
        if metric.get("enabled"):  # without a category: all there is
            found.add(ALL_METRICS)
    return frozenset(found)


class DiagnosticRecord(msgspec.Struct, frozen=True):
    """One record on its way to a sink."""

    id: str
    """the same whenever it is sent again"""
    category: str
    resource_id: str
    """the account's"""
    at_ns: int
    """when it happened: nanoseconds since the epoch"""
    failed: bool
    """whether it tells of a refusal or a failure"""
    body: dict[str, Any]
    """in Azure's shape; `linariteRecordId` is its id"""


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far one setting has come with one sink, in one log."""

    key: str
    """the setting's id, when it was made, the sink and the log"""
    setting_id: str
    sink: str
    position: int
    """everything up to here has been taken by the sink"""
    lost: int = 0
    """records that the sink never took: at most so many were removed past their time before, or it
    refused them for good"""
    sent: int = 0
    at: str = ""
    """when the sink took something last"""


class DiagnosticViews(Protocol):
    """What the control plane is told of sinks and exports."""

    @property
    def sinks(self) -> Mapping[str, str]:
        """Name → kind of the sinks that settings declare."""
        ...

    @property
    def budgets(self) -> BudgetBook:
        """How budgets stand."""
        ...

    def deliveries(self, account_id: str) -> list[dict[str, Any]]:
        """How an account's settings stand with their sinks."""
        ...

    def fired(self, rule_id: str) -> list[AlertState]:
        """The alerts of a metric alert rule that are not resolved."""
        ...


class NoDiagnostics:
    """Of a server without sinks."""

    sinks: Mapping[str, str] = MappingProxyType({})
    budgets: BudgetBook = NO_BUDGETS

    def deliveries(self, account_id: str) -> list[dict[str, Any]]:
        """None."""
        del account_id
        return []

    def fired(self, rule_id: str) -> list[AlertState]:
        """None."""
        del rule_id
        return []


NO_DIAGNOSTICS = NoDiagnostics()


class CursorStore(Protocol):
    """Keeps cursors by key. Every write is on disk when the call returns.

    All raise ServiceUnavailable when the store can't be used.
    """

    async def all(self) -> list[Cursor]:
        """Every one, ordered by key."""
        ...

    async def keep(self, cursor: Cursor) -> None:
        """Write it."""
        ...

    async def forget(self, keys: Collection[str]) -> None:
        """Remove those of these keys."""
        ...


class RequestLog(Protocol):
    """Request records in the order in which they came. All raise ServiceUnavailable."""

    async def after(
        self, position: int, limit: int, *, account_id: str
    ) -> list[tuple[int, RequestRecord]]:
        """The oldest first, each with its position, of one account (ids without case)."""
        ...

    async def position_at(self, at_ns: int) -> int:
        """Where the records begin that are younger than a time; 0 when all of them are."""
        ...

    async def ends(self) -> tuple[int, int]:
        """The positions of the oldest and the newest record; (0, 0) when there is none."""
        ...
