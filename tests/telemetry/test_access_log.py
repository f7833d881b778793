"""Which requests make a line, and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from linarite.telemetry.access_log import AccessLog
from linarite.telemetry.log_fields import LOG_FIELDS
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from linarite.telemetry.access_log import AccessLogMode

OUTCOMES = {
    "answered": {"status": 200},
    "refused": {"status": 429, "error_code": "429", "finish": "refused"},
    "failed": {"status": 503, "finish": "refused"},
    "broken off": {"status": 200, "finish": "failed"},
    "left": {"status": 499, "finish": "client_left"},
    "left later": {"status": 200, "finish": "client_left"},
}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("off", {}),
        ("errors", {"refused": "warning", "failed": "error", "broken off": "error"}),
        (
            "all",
            {
                "answered": "info",
                "refused": "warning",
                "failed": "error",
                "broken off": "error",
                "left": "info",
                "left later": "info",
            },
        ),
    ],
)
def test_the_mode_chooses_and_the_outcome_sets_the_level(
    mode: AccessLogMode, expected: dict[str, str]
) -> None:
    """Our failures are errors, refusals warnings, the rest is information."""
    access_log = AccessLog(mode)
    with capture_logs() as lines:
        for name, changed in OUTCOMES.items():
            access_log.write(make_record(name, **changed))
    assert {line["request_id"]: line["log_level"] for line in lines} == expected


def test_a_line_says_what_an_operator_asks_for() -> None:
    """Who, what, how it ended and how long it took; every field may pass the filter."""
    with capture_logs() as lines:
        AccessLog("all").write(make_record("abc", total_us=123_456))
    (line,) = lines
    wanted = {
        "event": "request",
        "request_id": "abc",
        "account": "contoso",
        "deployment": "chat",
        "status": 200,
        "duration_ms": 123.5,
        "caller_key": "key1",
    }
    assert {name: line[name] for name in wanted} == wanted
    assert set(line) - {"log_level"} <= LOG_FIELDS
