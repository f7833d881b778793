"""Callers with a key that one application was given: whether it still holds, and what it opens."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from linarite.controls.authenticate.api_key import identify
from linarite.dataplane.token_door import line_of
from linarite.domain.access import NO_ASSIGNMENT
from linarite.domain.access_errors import PermissionDenied
from linarite.domain.errors import InvalidKey, LinariteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.dataplane.call import Call, Operation
    from linarite.domain.access import Access, Decision
    from linarite.domain.facts import Account, Facts
    from linarite.domain.principal import KeyTerms, Principal

Used = dict[str, int]
"""key id → seconds since the epoch"""


def key_holder(call: Call, account: Account, digest: Callable[[str], bytes]) -> Principal:
    """Who shows a key of an account, as `identify` finds it.

    Who it was stays known for further requests with the same head while the account is the very
    same: any change, of its keys too, makes it another. Whether an application's key still holds
    is asked each time, by its door.
    """
    learned = call.learned
    known = learned.get(key_holder) if learned is not None else None
    if known is not None and known[0] is account:
        return known[1]
    holder = identify(call.headers, account, digest)
    if learned is not None:
        learned[key_holder] = (account, holder)
    return holder


class KeyDoor:
    """Lets in who shows an application's key, and remembers when."""

    def __init__(self, access: Access, *, now: Callable[[], float] = time.time) -> None:
        """`now` is what expiry is measured by, in seconds since the epoch."""
        self._access = access
        self._now = now
        self._used: Used = {}

    def admit(self, call: Call, found: Operation | LinariteError, facts: Facts) -> None:
        """Let a caller pass whose key holds and whose role lets it do the operation.

        Raises InvalidKey with a hint, for the key was right; PermissionDenied, and `found` where
        it is an error.
        """
        principal, terms = _holder(call)
        call.account = facts.account.name
        now = self._now()
        if not terms.enabled or 0 < principal.expires_at <= now:
            raise InvalidKey(ended(principal))
        self._used[terms.key_id] = int(now)
        if isinstance(found, LinariteError):
            raise found
        decision = self._access.decide(principal, found.action, terms.scope, is_data=True)
        call.decision = decision
        if not decision.allowed:
            raise refusal(call, found, decision)

    def admit_to_deployment(self, call: Call, found: Operation) -> None:
        """Let a call pass to a deployment that the key may use. Raises PermissionDenied.

        A deny assignment may close a deployment that the key's terms do not.
        """
        principal, terms = _holder(call)
        where = call.deployment
        if where is None:
            return
        if not terms.opens(where.name):
            allowed = ", ".join(sorted(terms.deployments))
            hint = f"The key is for these deployments alone: {allowed}."
            raise PermissionDenied(principal.name, found.action, line_of(call), hint)
        decision = self._access.decide(principal, found.action, where.id, is_data=True)
        call.decision = decision
        if not decision.allowed:
            raise refusal(call, found, decision)

    def take_used(self) -> Used:
        """The keys that were used since this was asked last, and when; it starts anew."""
        used, self._used = self._used, {}
        return used


def _holder(call: Call) -> tuple[Principal, KeyTerms]:
    principal = call.principal
    assert principal is not None  # noqa: S101 - the pipeline has set it
    assert principal.terms is not None  # noqa: S101 - and asks only for those who have them
    return principal, principal.terms


def refusal(call: Call, found: Operation, decision: Decision) -> PermissionDenied:
    """What is said to a key whose role does not grant the data action, with those that do."""
    principal, _ = _holder(call)
    # What a deny assignment says is for those who may read it.
    helping = decision.reason if decision.rule == NO_ASSIGNMENT else ""
    hint = f"The key's role must grant it. {helping}".strip()
    return PermissionDenied(principal.name, found.action, line_of(call), hint)


def ended(principal: Principal) -> dict[str, str]:
    """What the holder of a key that does not hold any more is told."""
    name = principal.name
    terms = principal.terms
    if terms is not None and not terms.enabled:
        return {"code": "KeyDisabled", "message": f"The key '{name}' is disabled."}
    moment = datetime.fromtimestamp(principal.expires_at, UTC)
    return {
        "code": "KeyExpired",
        "message": f"The key '{name}' expired at {moment:%Y-%m-%dT%H:%M:%SZ}.",
    }
