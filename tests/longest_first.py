"""Files that take longest start first, so that no process is left alone with one at the end.

A plugin, for runs in several processes with `--dist loadfile --no-loadscope-reorder`. The order is
that of `longest_first.txt`; `--record-longest` measures it anew.
"""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

ORDER = Path(__file__).with_suffix(".txt")
RECORDED_S = 3.0
"""What takes less may start when it likes."""
SHOWN = 30


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option."""
    parser.addoption(
        "--record-longest", action="store_true", help=f"write {ORDER.name} from this run"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process of several: by the order of files; what is not listed comes last."""
    if not hasattr(config, "workerinput"):
        return
    place = {name: index for index, name in enumerate(ORDER.read_text().split())}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """The files that took longest."""
    reports = [each for kind in terminalreporter.stats.values() for each in kind]
    took: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        if isinstance(report, pytest.TestReport):
            took[report.nodeid.partition("::")[0]] += report.duration
    longest = sorted(took.items(), key=itemgetter(1), reverse=True)
    if len(longest) > SHOWN:
        terminalreporter.section(f"{SHOWN} longest files")
        for name, seconds in longest[:SHOWN]:
            terminalreporter.write_line(f"{seconds:7.1f} s {name}")
    if config.getoption("--record-longest"):
        listed = [name for name, seconds in longest if seconds >= RECORDED_S]
        ORDER.write_text("".join(f"{name}\n" for name in listed))
