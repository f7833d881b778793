"""What costs are told apart by: Azure's names, and ours beside them.

Source of Azure's: learn.microsoft.com, "Query - Usage" of Microsoft.CostManagement.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from linarite.domain.arm_id import location_key, resource_group_of, subscription_of
from linarite.domain.resource import ACCOUNT_TYPE
from linarite.domain.usage_report import TAG

TAG_KEY = "TagKey"


class Dimension(msgspec.Struct, frozen=True):
    """One column that groups are told apart by."""

    name: str
    """as the answer's column is called"""
    read_from: str
    """the dimension of usage that tells it"""
    shown: Callable[[str], str] = str
    """what it is there, in Azure's form"""


Condition = tuple[Dimension, frozenset[str]]
"""a dimension, and the values that count, in lower case"""


def _always(value: str) -> Callable[[str], str]:
    return lambda _: value


_DIMENSIONS = (
    Dimension("ResourceGroup", "accountId", resource_group_of),
    Dimension("ResourceGroupName", "accountId", resource_group_of),
    Dimension("ResourceId", "accountId", str.lower),
    Dimension("ResourceType", "accountId", _always(ACCOUNT_TYPE.lower())),
    Dimension("ResourceLocation", "region", location_key),
    Dimension("SubscriptionId", "accountId", subscription_of),
    Dimension("ServiceName", "accountId", _always("Cognitive Services")),
    Dimension("MeterCategory", "accountId", _always("Cognitive Services")),
    Dimension("ChargeType", "accountId", _always("Usage")),
    Dimension("ServiceTier", "serviceTier"),
    Dimension("Account", "account"),
    Dimension("Deployment", "deployment"),
    Dimension("Model", "model"),
    Dimension("ModelVersion", "modelVersion"),
    Dimension("Sku", "sku"),
    Dimension("Operation", "operation"),
    Dimension("Key", "key"),
    Dimension("Principal", "principal"),
    Dimension("Application", "application"),
    Dimension("EndUser", "endUser"),
    Dimension("Project", "project"),
)
DIMENSIONS = {each.name.lower(): each for each in _DIMENSIONS}


def tag(name: str) -> Dimension:
    """The values of a tag."""
    return Dimension(name, f"{TAG}{name}")
