"""The decision: may a request that came this way reach this account."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Literal

from linarite.controls.network.ranges import rule_over
from linarite.domain.network import OPEN, OUTSIDE_ENDING, NetworkRules, Verdict
from linarite.domain.network_errors import (
    AddressDenied,
    NetworkDenied,
    NotFromApprovedEndpoint,
    PerimeterDenied,
    PublicAccessDisabled,
)

if TYPE_CHECKING:
    from linarite.domain.address_ranges import AddressRanges
    from linarite.domain.arrival import Arrival
    from linarite.domain.facts import Account
    from linarite.domain.perimeter import Category, InPerimeter

REMEMBERED_MAX = 4096
"""addresses of an account's clients; of more, it begins anew"""
CLOSED = Verdict(allowed=False, rule="publicNetworkAccess Disabled")
EVERYBODY = Verdict(allowed=True, rule="")


def require_way(arrival: Arrival, client_address: str, account: Account) -> str:
    """Let a request pass that came by a way which the account's owner allows; say by which rule.

    A private endpoint's way leads from its own network to its own account and nowhere else,
    whatever the rules of the public side say: a machine with an address in several networks takes
    packets for any of them from all. Raises NetworkDenied; nothing about the caller has been looked
    at by then.
    """
    if arrival.account_id:
        rule = f"privateEndpoint {arrival.endpoint_id}"
        if arrival.account_id.lower() != account.id.lower():
            raise _denied(NotFromApprovedEndpoint(), rule)
        if not _comes_from(arrival.sources, client_address):
            raise _denied(NotFromApprovedEndpoint(), f"{rule}{OUTSIDE_ENDING}")
        return rule
    rules = account.network
    if rules is OPEN:
        return ""
    if rules.perimeter is not None:
        return _past_the_perimeter(client_address, rules, rules.perimeter)
    verdict = verdict_on(client_address, rules)
    if verdict.allowed:
        return verdict.rule
    raise _denied(_by_own_rules(client_address, rules), verdict.rule, rules.trusted)


def _past_the_perimeter(client_address: str, rules: NetworkRules, perimeter: InPerimeter) -> str:
    """The perimeter's rules first; where it is enforced, only they count.

    Source: learn.microsoft.com, "Transition to a network security perimeter".
    """
    rule = _rule_that_names(client_address, perimeter.v4, perimeter.v6)
    if rule:
        perimeter.tell("NspPublicInboundPerimeterRulesAllowed", client_address, 0, rule)
        return f"perimeterRule {rule}"
    if perimeter.enforced:
        raise _denied(
            PerimeterDenied(client_address),
            "networkSecurityPerimeter",
            perimeter.identities(),
            "NspPublicInboundPerimeterRulesDenied",
        )
    verdict = verdict_on(client_address, rules)
    if verdict.allowed:
        perimeter.tell("NspPublicInboundResourceRulesAllowed", client_address, 0, verdict.rule)
        return verdict.rule
    raise _denied(
        _by_own_rules(client_address, rules),
        verdict.rule,
        rules.trusted | perimeter.identities(),
        "NspPublicInboundResourceRulesDenied",
    )


def verdict_beforehand(client_address: str, rules: NetworkRules) -> Verdict:
    """What the public side would say to an address, the perimeter included; nothing is logged."""
    perimeter = rules.perimeter
    if perimeter is not None:
        rule = _rule_that_names(client_address, perimeter.v4, perimeter.v6)
        if rule:
            return Verdict(allowed=True, rule=f"perimeterRule {rule}")
        if perimeter.enforced:
            return Verdict(allowed=False, rule="networkSecurityPerimeter")
    return verdict_on(client_address, rules)


def tell_of(denied: NetworkDenied, client_address: str, account: Account, *, passed: bool) -> None:
    """Write to the perimeter's access log how a refusal ended, once credentials were looked at."""
    perimeter = account.network.perimeter
    if perimeter is None or not denied.category:
        return
    category = "NspIntraPerimeterInboundAllowed" if passed else denied.category
    perimeter.tell(category, client_address, 0, "" if passed else denied.rule)


def _comes_from(sources: tuple[IPv4Network | IPv6Network, ...], client_address: str) -> bool:
    try:
        address = ip_address(client_address)
    except ValueError:
        return False
    return any(address in source for source in sources)


def _by_own_rules(client_address: str, rules: NetworkRules) -> NetworkDenied:
    refusal = AddressDenied if rules.public_access else PublicAccessDisabled
    return refusal(client_address)


def _denied(
    refusal: NetworkDenied,
    rule: str,
    trusted: frozenset[str] = frozenset(),
    category: Category | Literal[""] = "",
) -> NetworkDenied:
    refusal.rule, refusal.trusted, refusal.category = rule, trusted, category
    return refusal


def verdict_on(client_address: str, rules: NetworkRules) -> Verdict:
    """What rules make of an address on the public side.

    "" is an address that nobody can tell, as on a unix socket: no rule names it.
    """
    known = rules.decided.get(client_address)
    if known is None:
        known = _verdict(client_address, rules)
        if len(rules.decided) >= REMEMBERED_MAX:
            rules.decided.clear()
        rules.decided[client_address] = known
    return known


def _verdict(client_address: str, rules: NetworkRules) -> Verdict:
    if not rules.public_access:
        return CLOSED
    if rules.allow_others:
        return EVERYBODY
    rule = _rule_that_names(client_address, rules.v4, rules.v6)
    return Verdict(allowed=bool(rule), rule=rule or "defaultAction Deny")


def _rule_that_names(client_address: str, v4: AddressRanges, v6: AddressRanges) -> str:
    try:
        address = ip_address(client_address)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped  # one socket for both kinds shows IPv4 clients so
        if inner is None:
            return rule_over(int(address), v6)
        address = inner
    return rule_over(int(address), v4)
