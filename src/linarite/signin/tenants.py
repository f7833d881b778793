"""The tenant in a path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.signin.refusals import refused

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask

ALSO = frozenset(("common", "organizations", "adfs"))
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def require_tenant(ask: Ask, desk: Desk) -> str:
    """The tenant as the path writes it; "adfs" where the path names none.

    Raises SignInRefused for another than this server's.
    """
    said = ask.names.get("tenant", "adfs")
    tenant = said.lower()
    if tenant != desk.tenant and tenant not in ALSO:
        number = 90002 if GUID.fullmatch(tenant) else 900023
        raise refused(number, tenant=said, own=desk.tenant)
    return said
