"""Which account a call is for, and whether the way it came leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.network import require_way

if TYPE_CHECKING:
    from linarite.dataplane.call import Call
    from linarite.dataplane.facts import FactsBook
    from linarite.domain.facts import Facts


def facts_for(call: Call, book: FactsBook) -> Facts | None:
    """The facts of the account that a call is for; None where there is no such account.

    A private endpoint's listener says which account that is. Otherwise the path may name one, and
    a call that names none is for the default account. Raises NetworkDenied before anything is
    known of the caller.
    """
    arrival = call.arrival
    if arrival.account_id and not call.account:
        facts = book.find_by_id(arrival.account_id)
    else:
        facts = book.find(call.account)
    if facts is not None:
        require_way(arrival, call.client_address, facts.account)
    return facts
