"""Which account a call is for, and whether the way it came leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.authenticate.bearer import access_token
from linarite.controls.network import require_way, tell_of
from linarite.domain.access_errors import SubdomainRequired
from linarite.domain.account_names import ANY_SITE
from linarite.domain.errors import LinariteError
from linarite.domain.network import OPEN
from linarite.domain.network_errors import (
    NetworkDenied,
    SubdomainContradicted,
    SubdomainUnknown,
)
from linarite.domain.principal import SERVICE_PRINCIPAL

if TYPE_CHECKING:
    from linarite.dataplane.call import Call
    from linarite.dataplane.pipeline import Surface
    from linarite.domain.facts import Facts

OWN_NAME_ALONE = (
    "A private endpoint is reached by the names of its account, not by another name and not by its "
    "address."
)


def facts_for(call: Call, on: Surface) -> Facts | None:
    """The facts of the account that a call is for; None where there is no such account.

    The host name says which account that is; otherwise the path may name one, and a call that
    names none is for the default account. Raises SubdomainUnknown, SubdomainContradicted and
    NetworkDenied before anything is known of the caller; at a regional endpoint, where the key
    says which account is meant, SubdomainRequired of those who show a token.
    """
    if call.site is ANY_SITE and not call.arrival.account_id:
        facts = on.facts.find(call.account)
    else:
        facts = _by_name(call, on)
    if facts is not None and (facts.account.network is not OPEN or call.arrival.account_id):
        call.account_id = facts.account.id
        try:
            call.network_rule = require_way(call.arrival, call.client_address, facts.account)
        except NetworkDenied as denied:
            call.network_rule = denied.rule
            raise
    if call.site.region and access_token(call.headers) is not None:
        raise SubdomainRequired
    return facts


def _by_name(call: Call, on: Surface) -> Facts | None:
    site = call.site
    if site.account:
        if call.account and call.account.lower() != site.account:
            raise SubdomainContradicted(site.account, call.account)
        facts = on.facts.find(site.account)
        if facts is None:
            raise SubdomainUnknown
        return facts
    if call.arrival.account_id:
        raise SubdomainUnknown(OWN_NAME_ALONE)
    if site.region and not call.account:
        return on.facts.find_by_key(call.headers, site.region, on.digest)
    return on.facts.find(call.account)


async def past_the_rules(call: Call, denied: NetworkDenied, on: Surface) -> Facts | None:
    """The same facts, for a trusted service that shows its token. Raises `denied` to all others.

    A perimeter's access log learns how it ended.
    """
    facts = on.facts.find_by_id(call.account_id)
    service = await _trusted_service(call, denied, on)
    if facts is not None:
        tell_of(denied, call.client_address, facts.account, passed=bool(service))
    if not service:
        raise denied
    call.network_rule = f"bypass AzureServices {service}"
    return facts


async def _trusted_service(call: Call, denied: NetworkDenied, on: Surface) -> str:
    """The object id of the trusted service whose token the call shows; "" for all others.

    Source: `networkAcls.bypass`: Azure knows its own services by their managed identities.
    """
    may_pass = denied.trusted and not call.site.region
    token = access_token(call.headers) if may_pass else None
    if token is None:
        return ""
    principal = on.door.known(token)
    if principal is None and not on.door.says_to_be(token, denied.trusted):
        return ""  # strangers can't have us verify signatures
    try:
        principal = principal or await on.door.recognise(token)
    except LinariteError:  # what is wrong with it is not for who may not come in
        return ""
    trusted = principal.kind == SERVICE_PRINCIPAL and principal.object_id in denied.trusted
    return principal.object_id if trusted else ""
