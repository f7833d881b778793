"""Who calls the control plane, and whether they may."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

import msgspec

from linarite.domain.access_errors import ForeignTenant, TokenRefused
from linarite.domain.arm_errors import not_authenticated, token_refused
from linarite.domain.client_certificate import (
    CertificateHolders,
    NoHolders,
    ShownCertificate,
    speaks_alone,
)
from linarite.domain.principal import KEY, USER, Principal, TokenVerifier


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


ANYONE = Caller(name="", kind="User", principal=Principal(kind=USER, name=""))
"""who has shown no credential, where none is wanted"""


class Credentials(msgspec.Struct, frozen=True):
    """What opens the control plane."""

    digests: Mapping[bytes, str]
    """of the management keys"""
    digest: Callable[[str], bytes]
    """the digest a presented key would have"""
    tokens: TokenVerifier
    audiences: Callable[[], frozenset[str]]
    """for whom a token must be; more of them once the server listens"""
    tenant: str
    """this server's own"""

    holders: CertificateHolders = NoHolders()
    """tell who shows nothing but a client certificate"""

    def holder(
        self, shown: ShownCertificate | None, listener: str, headers: Mapping[str, str]
    ) -> Caller | None:
        """The caller by its certificate alone; None where there is none, or more to decide by."""
        if shown is None or not speaks_alone(headers):
            return None
        principal = self.holders.holder(shown, listener)
        return caller_of(principal) if principal is not None else None

    async def recognise(
        self, headers: Mapping[str, str], authorization_uri: str, also_for: str = ""
    ) -> Caller:
        """The caller by `Authorization: Bearer`: the management key, or an access token.

        `also_for` is one more audience that a token may have, without a slash at its end.
        Raises ArmError 401, with the header that tells where tokens are given out.
        """
        presented = _presented(headers, authorization_uri)
        if "." not in presented:  # no token is without
            return self._by_key(presented, authorization_uri)
        audiences = self.audiences()
        if also_for:
            audiences |= {also_for, f"{also_for}/"}
        try:
            principal = self.tokens.known(presented, audiences) or await self.tokens.verify(
                presented, audiences
            )
        except (TokenRefused, ForeignTenant) as refused:
            raise token_refused(refused, self.tenant, authorization_uri) from None
        return caller_of(principal)

    def _by_key(self, presented: str, authorization_uri: str) -> Caller:
        wanted = self.digest(presented)
        # Every key is compared, in constant time each: how long it takes tells nothing.
        matches = [hmac.compare_digest(wanted, known) for known in self.digests]
        if not any(matches):
            raise not_authenticated(
                "The access token is invalid.", authorization_uri, presented=True
            )
        return MANAGEMENT_KEY


def caller_of(principal: Principal) -> Caller:
    """A principal in the words of systemData."""
    if principal.kind == USER:
        return Caller(principal.name, "User", principal)
    kind = "ManagedIdentity" if principal.resource_id else "Application"
    return Caller(principal.app_id or principal.object_id, kind, principal)


def _presented(headers: Mapping[str, str], authorization_uri: str) -> str:
    scheme, _, presented = headers.get("authorization", "").partition(" ")
    presented = presented.strip()
    if scheme.lower() != "bearer" or not presented:
        raise not_authenticated(
            "Authentication failed. The 'Authorization' header is missing or is not 'Bearer …'. "
            "`linarite keys --management --show` prints the key that opens the control plane.",
            authorization_uri,
            presented=False,
        )
    return presented
