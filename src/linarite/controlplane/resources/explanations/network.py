"""What rules over networks decided, for explanations, and what would have to change. Pure."""

from __future__ import annotations

from linarite.controlplane.resources.explanations.shape import (
    NONE_IN_FORCE,
    PASSED,
    REFUSED,
    Step,
)
from linarite.domain.network import OUTSIDE_ENDING
from linarite.domain.network_errors import NetworkDenied

CONTROL = "network"
CODE = NetworkDenied.code
"""of refusals by rules over networks"""
NO_SUCH_NAME = "the host name leads to no account, or to another than the path names"
OPEN = "the account's network rules exclude nobody"
MEANING = {
    "ipRule": "a rule of networkAcls.ipRules names the address",
    "virtualNetworkRule": "the address lies in a subnet of networkAcls.virtualNetworkRules",
    "bypass": "networkAcls.bypass lets this trusted service pass",
    "privateEndpoint": "it came by a private endpoint",
    "defaultAction": "no rule of networkAcls names the address",
    "perimeterRule": "a rule of the account's network security perimeter names the address",
    "networkSecurityPerimeter": "no rule of the account's enforced perimeter names the address",
    "publicNetworkAccess": "the public side does not lead to the account",
}
"""the first word of a rule → what it says"""
ADVICE = {
    "defaultAction": (
        (
            "Add {address}, or a range around it, to properties.networkAcls.ipRules of {account}: "
            "`az cognitiveservices account network-rule add --ip-address {address}`;"
        ),
        (
            "or declare the network that it lies in, [networks.NAME] in the settings, and add the "
            "subnet to properties.networkAcls.virtualNetworkRules;"
        ),
        "or come by a private endpoint of the account.",
    ),
    "publicNetworkAccess": (
        "Come by a private endpoint of {account};",
        "or set its properties.publicNetworkAccess to Enabled.",
    ),
    "networkSecurityPerimeter": (
        (
            "Add {address}, or a range around it, to an inbound rule of the profile that {account} "
            "has in its network security perimeter."
        ),
    ),
    "privateEndpoint": (
        (
            "Call {account} by its own private endpoint, or from the public side: {rule} leads to "
            "another account."
        ),
    ),
}

OUTSIDE = "it came by a private endpoint, from an address that is not in the endpoint's network"
ANOTHERS = "it came by a private endpoint that leads to another account"
ADVICE_OUTSIDE = (
    (
        "Call from an address of the endpoint's network; or add {address}, or a range around it, "
        "to the addresses of that network in the settings, [networks.NAME]."
    ),
)


def step_of(rule: str, *, allowed: bool, why: str = "") -> Step:
    """The network's step of an explanation; `rule` as records have it, "" where none is in force.

    `why` is in place of what the rule means.
    """
    if not rule and allowed:
        return Step(CONTROL, NONE_IN_FORCE, why=OPEN)
    meaning = MEANING.get(rule.partition(" ")[0], "")
    if not allowed and rule.startswith("privateEndpoint"):
        meaning = OUTSIDE if rule.endswith(OUTSIDE_ENDING) else ANOTHERS
    return Step(CONTROL, PASSED if allowed else REFUSED, rule, why or meaning)


def advice_on(rule: str, account: str, address: str) -> list[str]:
    """What would have to change for a refusal by a rule to become an answer."""
    outside = rule.endswith(OUTSIDE_ENDING)
    told = ADVICE_OUTSIDE if outside else ADVICE.get(rule.partition(" ")[0], ())
    return [
        line.format(account=account, address=address or "the client's address", rule=rule)
        for line in told
    ]
