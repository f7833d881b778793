"""Which ways lead to an account: asked of every call before any credential is read.

Guards accounts by the properties `publicNetworkAccess` and `networkAcls`, and private endpoints,
which lead to one account only. Raises the refusals of `linarite.domain.network_errors`.
"""

from __future__ import annotations

from linarite.controls.network.door import require_way, tell_of, verdict_beforehand, verdict_on
from linarite.controls.network.perimeters import PerimeterBook
from linarite.controls.network.reading import rules_of

__all__ = [
    "PerimeterBook",
    "require_way",
    "rules_of",
    "tell_of",
    "verdict_beforehand",
    "verdict_on",
]
