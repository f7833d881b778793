"""The decision: may a request that came this way reach this account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.network import OPEN
from linarite.domain.network_errors import NotFromApprovedEndpoint, PublicAccessDisabled

if TYPE_CHECKING:
    from linarite.domain.arrival import Arrival
    from linarite.domain.facts import Account


def require_way(arrival: Arrival, client_address: str, account: Account) -> None:
    """Let a request pass that came by a way which the account's owner allows.

    A private endpoint's way leads to its own account and to no other, whatever the rules of the
    public side say. Raises NetworkDenied; nothing about the caller has been looked at by then.
    """
    if arrival.account_id:
        if arrival.account_id.lower() != account.id.lower():
            raise NotFromApprovedEndpoint
        return
    del client_address
    rules = account.network
    if rules is OPEN:
        return
    if not rules.public_access:
        raise PublicAccessDisabled
