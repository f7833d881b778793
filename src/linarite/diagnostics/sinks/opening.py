"""The sinks that settings declare, and opening one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.diagnostics.object_stores.azure_blob import AzureBlobSink, check_azure_blob
from linarite.diagnostics.object_stores.endpoint import store_of
from linarite.diagnostics.object_stores.s3 import S3Sink, check_s3
from linarite.diagnostics.sinks.folder import FolderSink
from linarite.diagnostics.sinks.otlp import OtlpSink
from linarite.diagnostics.sinks.syslog import SyslogSink, address_of
from linarite.domain.diagnostics import AZURE_BLOB, FOLDER, OBJECT_STORES, OTLP, SYSLOG
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from linarite.diagnostics.options import SinkSettings
    from linarite.diagnostics.sinks.sink import Sink
    from linarite.domain.dial import SocketDialer
    from linarite.telemetry.otlp import Endpoint


class Sinks:
    """Opens sinks by name."""

    def __init__(
        self,
        declared: Mapping[str, SinkSettings],
        home: Path,
        dialer: SocketDialer,
        collector: Callable[[], Endpoint] | None,
    ) -> None:
        """`collector` connects to the one of `[otlp]`. Raises SetupError for what can't work."""
        for name, each in declared.items():
            check_sink(name, each, has_collector=collector is not None)
        self._declared = declared
        self._home = home
        self._dialer = dialer
        self._collector = collector

    def open(self, name: str, account_id: str) -> Sink | None:
        """A sink for one account; None where settings declare it no more."""
        declared = self._declared.get(name)
        if declared is None:
            return None
        if declared.kind == FOLDER:
            return FolderSink(self._home / declared.path)
        if declared.kind == SYSLOG:
            return SyslogSink(declared, self._dialer, account_id)
        if declared.kind in OBJECT_STORES:
            opened = AzureBlobSink if declared.kind == AZURE_BLOB else S3Sink
            return opened(declared, self._dialer, account_id)
        assert self._collector is not None  # noqa: S101 - checked when it was declared
        return OtlpSink(self._collector())


def sink_hosts(declared: Mapping[str, SinkSettings]) -> frozenset[str]:
    """The hosts that settings name by declaring sinks there. Raises SetupError."""
    hosts: set[str] = set()
    for name, each in declared.items():
        if each.kind == SYSLOG:
            try:
                hosts.add(address_of(each.address).host)
            except SetupError as problem:
                raise SetupError(f"diagnostic_sinks.{name}.address: {problem.message}") from None
        elif each.kind in OBJECT_STORES:
            try:
                hosts.add(store_of(each).host)
            except SetupError as problem:
                raise SetupError(f"diagnostic_sinks.{name}.url: {problem.message}") from None
    return frozenset(hosts - {""})


def check_sink(name: str, declared: SinkSettings, *, has_collector: bool) -> None:
    """What one field's type can't say. Raises SetupError."""
    place = f"diagnostic_sinks.{name}"
    if declared.kind == FOLDER and not declared.path:
        raise SetupError(f"{place}.path is empty: name the folder that records are written to.")
    if declared.kind == SYSLOG:
        sink_hosts({name: declared})
    if declared.kind in OBJECT_STORES:
        sink_hosts({name: declared})
        try:
            (check_azure_blob if declared.kind == AZURE_BLOB else check_s3)(declared)
        except SetupError as problem:
            raise SetupError(f"{place}: {problem.message}") from None
    if declared.kind == OTLP and not has_collector:
        raise SetupError(f"{place} is the collector of [otlp]: set otlp.endpoint.")
