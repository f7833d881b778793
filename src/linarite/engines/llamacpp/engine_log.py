"""What of the engine process's standard error is logged.

While it serves, its lines may quote what callers sent: a schema that does not compile, a text that
does not parse. So from then on a line is cut where a quotation could begin, and lines without
llama.cpp's own prefix are dropped, but for those of a crash.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.engines.worker_process.process import LogLine

if TYPE_CHECKING:
    from linarite.engines.worker_process.process import Level


_PREFIXED = re.compile(r"\d+\.\d+\.\d+\.\d+ (?P<level>[DIWE]) (?P<text>.*)", re.DOTALL)
_CRASH = re.compile(r"(?:GGML_ASSERT|GGML_ABORT|CUDA error|terminate called|Fatal Python error).*")
_ROUTINE = ("stop: cancel task", "failed to launch slot with task", "security: no API key")
_ANSWERED = ("send_error:", "llg error:", "failed to parse grammar", "got exception:")
"""the caller has been told, in our words"""
_QUOTATION = re.compile(r"(?:(?<=\serror:)|(?<=exception:)).*|[\"'`{\[].*", re.DOTALL)
_LINE_MAX = 500


def while_loading(line: str) -> LogLine | None:
    """Judge a line written before any caller was heard; None when it says nothing."""
    match = _PREFIXED.fullmatch(line)
    if match is None:
        return LogLine("info", line[:_LINE_MAX]) if line.strip() else None
    text = match["text"].strip()[:_LINE_MAX]
    if any(phrase in text for phrase in _ROUTINE):
        return None
    levels: dict[str, Level] = {"E": "error", "W": "warning"}
    return LogLine(levels.get(match["level"], "debug"), text)


def while_serving(line: str) -> LogLine | None:
    """Judge a line written while callers' texts are in the process; None when it stays unsaid."""
    crash = _CRASH.search(line)
    if crash:
        return LogLine("error", _without_quotation(crash[0]))
    match = _PREFIXED.fullmatch(line)
    if match is None or match["level"] not in "WE":
        return None
    text = match["text"].strip()
    if any(phrase in text for phrase in _ROUTINE):
        return None
    answered = any(phrase in text for phrase in _ANSWERED)
    return LogLine("debug" if answered else "warning", _without_quotation(text))


def load_failure(lines: list[str]) -> str:
    """Find llama.cpp's reason among the lines of a failed start; "" when there is none."""
    errors = [
        match["text"].strip()
        for line in lines
        if (match := _PREFIXED.fullmatch(line)) and match["level"] == "E"
    ]
    for error in errors:
        if "error loading model" in error:
            return error.split("error loading model", 1)[1].lstrip(": ") or error
    return errors[0] if errors else ""


def _without_quotation(text: str) -> str:
    return _QUOTATION.sub("…", text, count=1)[:_LINE_MAX].rstrip()
