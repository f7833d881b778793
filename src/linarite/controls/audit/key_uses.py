"""Where each key has been used lately, so that a use is told once and not with every request."""

from __future__ import annotations

from datetime import UTC, datetime

from linarite.domain.audit import KEY_USE, SUCCEEDED, AuditEvent
from linarite.domain.principal import KEY, MANAGEMENT_KEYS_ID

Place = tuple[str, str, str]
"""what the key opens, the key, the address"""
PLACES_MAX = 10_000
"""of more, the oldest are told again when they come back"""


USE_KEY = "UseKey"
MANAGEMENT_KEY = "management-key"


class Places:
    """Bounded in memory."""

    def __init__(self, again_ns: int) -> None:
        """After so long a use is told again; 0 tells of none."""
        self._again_ns = again_ns
        self._due: dict[Place, int] = {}
        """place → when its use is told again"""

    def is_due(self, place: Place, now_ns: int) -> bool:
        """Whether a use is to be told now; whoever is told so tells it."""
        if not self._again_ns or self._due.get(place, 0) > now_ns:
            return False
        if place not in self._due and len(self._due) >= PLACES_MAX:
            del self._due[next(iter(self._due))]
        self._due.pop(place, None)
        self._due[place] = now_ns + self._again_ns
        return True


def management_key_use(address: str, request_id: str) -> AuditEvent:
    """A management key has opened the control plane or the directory."""
    return AuditEvent(
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        category=KEY_USE,
        action=USE_KEY,
        outcome=SUCCEEDED,
        resource_id=MANAGEMENT_KEYS_ID,
        principal=MANAGEMENT_KEY,
        principal_kind=KEY,
        credential=MANAGEMENT_KEY,
        address=address,
        decided_by="key",
        request_id=request_id,
    )
