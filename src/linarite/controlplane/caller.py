"""Who calls the control plane, and whether they may."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.arm_errors import not_authenticated
from linarite.domain.principal import KEY, USER, Principal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MANAGEMENT_KEYS_ID = "/providers/Linarite/managementKeys/default"
"""under this id the key store keeps the management key, as it keeps an account's"""


class Caller(msgspec.Struct, frozen=True):
    """Who was recognised, as systemData and the activity log name them."""

    name: str
    kind: str
    """User, Application, ManagedIdentity or Key"""
    principal: Principal = Principal(kind=USER, name="")
    """the same as roles and audit know it; by default somebody who may do nothing"""


MANAGEMENT_KEY = Caller(
    name="management-key", kind="Key", principal=Principal(kind=KEY, name="management-key")
)
"""whoever holds the management key"""


ANYONE = Caller(name="", kind="User")
"""who has shown no credential, where none is wanted"""


def recognise(
    headers: Mapping[str, str],
    digests: Mapping[bytes, str],
    digest: Callable[[str], bytes],
    authorization_uri: str,
) -> Caller:
    """The caller by `Authorization: Bearer <management key>`.

    Raises ArmError 401, with the header that tells where tokens are given out.
    """
    scheme, _, presented = headers.get("authorization", "").partition(" ")
    presented = presented.strip()
    if scheme.lower() != "bearer" or not presented:
        raise not_authenticated(
            "Authentication failed. The 'Authorization' header is missing or is not 'Bearer …'. "
            "`linarite keys --management --show` prints the key that opens the control plane.",
            authorization_uri,
            presented=False,
        )
    wanted = digest(presented)
    # Every key is compared, in constant time each: how long it takes tells nothing.
    matches = [hmac.compare_digest(wanted, known) for known in digests]
    if not any(matches):
        raise not_authenticated("The access token is invalid.", authorization_uri, presented=True)
    return MANAGEMENT_KEY
