"""checkDomainAvailability and checkSkuAvailability."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from linarite.controlplane.kinds import ACCOUNT_KINDS
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_location, require_subscription
from linarite.controlplane.wire import read_object
from linarite.domain.arm_errors import bad_request
from linarite.domain.resource import ACCOUNT_TYPE, DELETED_ACCOUNT_TYPE, domain_of

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

DOMAIN = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]")


async def check_domain(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Whether an account may have a subdomain, and why not."""
    require_subscription(surface, target)
    sent = read_object(request.body)
    wanted = str(sent.get("subdomainName") or "")
    if not wanted:
        raise bad_request(
            "InvalidRequestContent", "subdomainName is missing.", target="subdomainName"
        )
    accounts = await surface.resources.list_under("", ACCOUNT_TYPE)
    accounts += await surface.resources.list_under("", DELETED_ACCOUNT_TYPE)
    reason = None
    if DOMAIN.fullmatch(wanted) is None:
        reason = f"The subdomain name '{wanted[:100]}' is not valid."
    elif wanted.lower() in {domain_of(account) for account in accounts}:
        reason = f"Sub domain name '{wanted}' is already used. Please pick a different name."
    return Answer(
        200,
        {
            "isSubdomainAvailable": reason is None,
            "reason": reason,
            "subdomainName": wanted,
            "type": sent.get("type") or ACCOUNT_TYPE,
            "kind": sent.get("kind"),
        },
    )


async def check_sku(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Whether accounts of a kind can be had with each SKU."""
    require_location(surface, target)
    sent = read_object(request.body)
    skus = sent.get("skus")
    if not isinstance(skus, list):
        raise bad_request("InvalidRequestContent", "skus must be a list.", target="skus")
    kind = str(sent.get("kind") or "")
    known = {each.lower() for each in ACCOUNT_KINDS}
    value: list[dict[str, Any]] = []
    for sku in cast("list[object]", skus):
        there = kind.lower() in known and str(sku).upper() == "S0"
        value.append(
            {
                "kind": kind,
                "type": sent.get("type") or ACCOUNT_TYPE,
                "skuName": str(sku),
                "skuAvailable": there,
                "reason": None if there else "NotAvailableForSubscription",
                "message": None if there else f"S0 can be had for {', '.join(ACCOUNT_KINDS)}.",
            }
        )
    return Answer(200, {"value": value})
