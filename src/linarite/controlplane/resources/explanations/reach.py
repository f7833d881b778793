"""Whether an address would reach an account: the question before there is a request."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.request import Answer
from linarite.controlplane.resources.explanations.network import advice_on, step_of
from linarite.controlplane.resources.explanations.shape import Step
from linarite.controlplane.stocktaking import account_of
from linarite.controls.network import rules_of, verdict_beforehand
from linarite.domain.arm_errors import bad_request
from linarite.domain.arm_id import same_id
from linarite.domain.network import OPEN
from linarite.domain.private_link import ADDRESS, account_id_of, subnet_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

TYPE = "Linarite.Operations/reachability"


class EndpointReach(msgspec.Struct, frozen=True, rename="camel"):
    """An approved private endpoint of the account."""

    id: str
    address: str
    same_network: bool
    """whether the address asked about is one of the network in which the endpoint lies"""


class Reach(msgspec.Struct, frozen=True, rename="camel"):
    """What an address would meet at an account, before any credential is looked at."""

    account: str
    address: str
    public_side: Step
    private_endpoints: list[EndpointReach]
    would_have_to_change: list[str]
    """for the public side; empty where it is open to the address"""


async def reachability(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What `address` in the query would meet. Raises ArmError."""
    account = await account_of(surface, target)
    asked = request.query.get("address", "")
    try:
        address = str(ip_address(asked))
    except ValueError:
        raise bad_request(
            "InvalidAddress", f"The query's 'address' is no IP address: '{asked[:100]}'."
        ) from None
    stated = rules_of(account.properties, surface.networks.ranges_of)
    rules = surface.perimeters.around(account.id, stated)
    verdict = None if rules is OPEN else verdict_beforehand(address, rules)
    rule, allowed = (verdict.rule, verdict.allowed) if verdict is not None else ("", True)
    reach = Reach(
        account=account.id,
        address=address,
        public_side=step_of(rule, allowed=allowed),
        private_endpoints=list(_endpoints(account.id, address, surface)),
        would_have_to_change=[] if allowed else advice_on(rule, account.id, address),
    )
    return Answer(200, msgspec.to_builtins(reach))


def _endpoints(account_id: str, address: str, surface: Surface) -> Iterator[EndpointReach]:
    for endpoint in surface.links.approved():
        if same_id(account_id_of(endpoint), account_id):
            ranges = surface.networks.ranges_of(subnet_id_of(endpoint))
            inside = any(ip_address(address) in ip_network(each) for each in ranges)
            yield EndpointReach(endpoint.id, str(endpoint.properties.get(ADDRESS, "")), inside)
