"""What stands around metrics, logs and spans alike: who tells, and by which library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.telemetry.otlp.wire import attributes, message, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from linarite.telemetry.otlp.wire import Scalar

SCOPE = "linarite"


def enveloped(
    items: Iterable[bytes], resource: Mapping[str, Scalar], *, version: str = ""
) -> bytes:
    """The body of an export: one resource, one scope, and these items in it.

    `items` are encoded messages: `Metric`, `LogRecord` or `Span`; the three requests differ in
    nothing else. `resource` names who tells (`service.name`, …), `version` the server's.
    """
    scope = message(1, text(1, SCOPE) + text(2, version))
    of_scope = scope + b"".join(message(2, item) for item in items)
    return message(1, message(1, attributes(1, resource)) + message(2, of_scope))
