"""The sinks that settings declare, and opening one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.diagnostics.sinks.folder import FolderSink
from linarite.diagnostics.sinks.otlp import OtlpSink
from linarite.diagnostics.sinks.syslog import SyslogSink, address_of
from linarite.domain.diagnostics import FOLDER, OTLP, SYSLOG
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
        assert self._collector is not None  # noqa: S101 - checked when it was declared
        return OtlpSink(self._collector())


def syslog_hosts(declared: Mapping[str, SinkSettings]) -> frozenset[str]:
    """The hosts that settings name by declaring syslog servers there. Raises SetupError."""
    hosts: set[str] = set()
    for name, each in declared.items():
        if each.kind == SYSLOG:
            try:
                hosts.add(address_of(each.address).host)
            except SetupError as problem:
                raise SetupError(f"diagnostic_sinks.{name}.address: {problem.message}") from None
    return frozenset(hosts - {""})


def check_sink(name: str, declared: SinkSettings, *, has_collector: bool) -> None:
    """What one field's type can't say. Raises SetupError."""
    place = f"diagnostic_sinks.{name}"
    if declared.kind == FOLDER and not declared.path:
        raise SetupError(f"{place}.path is empty: name the folder that records are written to.")
    if declared.kind == SYSLOG:
        syslog_hosts({name: declared})
    if declared.kind == OTLP and not has_collector:
        raise SetupError(f"{place} is the collector of [otlp]: set otlp.endpoint.")
