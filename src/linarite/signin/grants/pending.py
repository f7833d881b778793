"""Sign-ins that have begun: codes that wait to be redeemed. In memory, bounded, soon over.

A restart ends them: who was signing in begins again.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from linarite.signin.directory.records import User
from linarite.signin.tokens.resources import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

ItemT = TypeVar("ItemT")
PENDING_MAX = 10_000
DEVICE_S = 900
CODE_S = 600
LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""of user codes: none that people mix up, no vowels to make words with"""
USER_CODE_LENGTH = 9


class DeviceFlow(msgspec.Struct):
    """Somebody waits at a device for a person to sign in elsewhere."""

    client_id: str
    client_name: str
    wanted: Wanted
    user_code: str
    ends_at: float
    user: User | None = None
    refused: bool = False
    begun_from: str = ""
    """where the device is"""

    def __repr__(self) -> str:
        """Hide the code."""
        return f"DeviceFlow({self.client_id})"


class CodeFlow(msgspec.Struct, frozen=True):
    """A person has signed in; the application redeems the code."""

    client_id: str
    redirect_uri: str
    wanted: Wanted
    challenge: str
    """S256 of the verifier; "" for confidential clients that sent none"""
    nonce: str
    user: User
    signed_in_at: int

    def __repr__(self) -> str:
        """Hide the challenge."""
        return f"CodeFlow({self.client_id})"


class Pending(Generic[ItemT]):
    """Items by a random code, each for some time only; the oldest go when there are too many."""

    def __init__(self, now: Callable[[], float], seconds: float) -> None:
        """`now` in seconds; `seconds` is how long an item waits."""
        self._now = now
        self._seconds = seconds
        self._items: OrderedDict[str, tuple[float, ItemT]] = OrderedDict()

    def add(self, item: ItemT) -> str:
        """Keep it; its code."""
        code = secrets.token_urlsafe(48)
        self._items[code] = (self._now() + self._seconds, item)
        while len(self._items) > PENDING_MAX:
            self._items.popitem(last=False)
        return code

    def get(self, code: str) -> ItemT | None:
        """What waits under a code; None when nothing does any more."""
        found = self._items.get(code)
        if found is None:
            return None
        if self._now() >= found[0]:
            del self._items[code]
            return None
        return found[1]

    def take(self, code: str) -> ItemT | None:
        """The same, once."""
        item = self.get(code)
        self._items.pop(code, None)
        return item


class PendingSignIns:
    """All of them."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` in seconds."""
        self.now = now
        # A device polls a little longer than its code holds, to be told that it is over.
        self.devices: Pending[DeviceFlow] = Pending(now, DEVICE_S * 2)
        self.codes: Pending[CodeFlow] = Pending(now, CODE_S)
        self._by_user_code: OrderedDict[str, DeviceFlow] = OrderedDict()

    def begin_device(
        self, client_id: str, client_name: str, wanted: Wanted, begun_from: str = ""
    ) -> tuple[str, DeviceFlow]:
        """The device's code, and the flow with the person's."""
        user_code = "".join(secrets.choice(LETTERS) for _ in range(USER_CODE_LENGTH))
        flow = DeviceFlow(
            client_id,
            client_name,
            wanted,
            user_code,
            self.now() + DEVICE_S,
            begun_from=begun_from,
        )
        self._by_user_code[user_code] = flow
        while len(self._by_user_code) > PENDING_MAX:
            self._by_user_code.popitem(last=False)
        return self.devices.add(flow), flow

    def device_by_user_code(self, typed: str) -> DeviceFlow | None:
        """The flow of a code that a person typed; None when it is over, decided or unknown."""
        flow = self._by_user_code.get(typed.strip().upper().replace("-", "").replace(" ", ""))
        if flow is None or self.now() >= flow.ends_at or flow.user is not None or flow.refused:
            return None
        return flow
