"""A perimeter around an account of the sides, and what was let pass and refused there."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.netbed.management import ACCOUNTS
from tests.netbed.sides import ALPHA, NETWORKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.netbed.sides import Sides

VERSION = "2024-10-01"
EDGE = f"{NETWORKS}/networkSecurityPerimeters/edge"
PROFILE = f"{EDGE}/profiles/main"
ASSOCIATION = f"{EDGE}/resourceAssociations/one"
LOG_VERSION = "2026-11-01"
WRITTEN_S = 30.0
"""the log is written within a second; the machine may be busy"""


@dataclass
class Perimeter:
    """One around the account ALPHA."""

    sides: Sides

    def associate(self, mode: str) -> None:
        """Put the account in, or change how."""
        associated = {
            "privateLinkResource": {"id": f"{ACCOUNTS}/{ALPHA}"},
            "profile": {"id": PROFILE},
            "accessMode": mode,
        }
        self._put(ASSOCIATION, {"properties": associated})

    def rule(self, name: str, **properties: Any) -> None:  # noqa: ANN401 - JSON
        """Write an access rule."""
        self._put(f"{PROFILE}/accessRules/{name}", {"properties": properties})

    def delete(self, path: str) -> None:
        """Take a part of it away."""
        answer = self.sides.management.call("DELETE", path, api_version=VERSION)
        assert answer.status in {200, 202, 204}, answer

    def _put(self, path: str, body: object) -> None:
        self.sides.management.put(path, body, VERSION)


@contextmanager
def perimeter(sides: Sides, mode: str) -> Iterator[Perimeter]:
    """One that the account is in while the block runs, with no rules yet."""
    made = Perimeter(sides)
    sides.management.put(EDGE, {"location": "local"}, VERSION)
    sides.management.put(PROFILE, {"properties": {}}, VERSION)
    made.associate(mode)
    try:
        yield made
    finally:
        made.delete(ASSOCIATION)
        made.delete(EDGE)


def entries(sides: Sides) -> Counter[tuple[str, str]]:
    """The account's network log: how often what was said of which other side."""
    path = f"{ACCOUNTS}/{ALPHA}/providers/Linarite.Operations/networkLog"
    answer = sides.management.call("GET", path, api_version=LOG_VERSION)
    assert answer.status == 200, answer
    found: Counter[tuple[str, str]] = Counter()
    for each in answer.body["value"]:
        found[each["Category"], each["SourceIpAddress"] or each["DestinationFqdn"]] += each["Count"]
    return found


@contextmanager
def logging(sides: Sides, **expected: dict[str, int]) -> Iterator[None]:
    """What the log tells of the block, and no more: category → other side → times."""
    before = entries(sides)
    yield
    wanted = {
        (category, side): times
        for category, sides_of in expected.items()
        for side, times in sides_of.items()
    }
    deadline = time.monotonic() + WRITTEN_S
    while (found := entries(sides) - before) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
