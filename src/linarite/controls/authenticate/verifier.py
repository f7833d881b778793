"""The verifier: from a token's text to whose it is. The order of the checks is here."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controls.authenticate.compact import read_compact
from linarite.controls.authenticate.issuers import IssuerTable
from linarite.controls.authenticate.principals import principal_of
from linarite.controls.authenticate.remembered import Good, Remembered
from linarite.controls.authenticate.rules import audiences_of, foreign_audience, validity
from linarite.controls.authenticate.signature import is_signed
from linarite.domain.access_errors import ForeignTenant, TokenRefused
from linarite.domain.client_certificate import ISSUER as CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from linarite.controls.authenticate.compact import Unverified
    from linarite.controls.authenticate.issuers import Issuer
    from linarite.controls.authenticate.options import Tokens
    from linarite.controls.authenticate.rules import Validity
    from linarite.domain.principal import Principal


class Verifier:
    """Verifies access tokens of all issuers (`TokenVerifier`)."""

    def __init__(self, options: Tokens, *, clock: Callable[[], float] = time.time) -> None:
        """Trusts nobody yet; `clock` tells seconds since the epoch."""
        self._options = options
        self.belongs_here: Callable[[str], bool] = lambda _: False
        """whether an object id is one of this server's own directory, which no other issuer may
        name"""
        self._clock = clock
        self._issuers = IssuerTable()
        self._own: Issuer | None = None
        self._own_names: frozenset[str] = frozenset()
        self._remembered = Remembered(options.remembered_max, clock)

    def trust(self, issuer: Issuer, names: Iterable[str]) -> None:
        """Take the tokens of an issuer from now on: those that name one of `names` as `iss`."""
        names = frozenset(names)
        self._issuers.add(issuer, names)
        if issuer.own:
            self._own, self._own_names = issuer, names | {CERTIFICATES}
        self.forget()

    def forget(self) -> None:
        """Verify every token anew: keys or people have changed."""
        self._remembered.clear()

    def known(self, token: str, audiences: frozenset[str]) -> Principal | None:
        """Whose it is, if it was verified before and still holds; touches nothing but memory."""
        good = self._remembered.good(token)
        if good is None or good.audiences.isdisjoint(audiences):
            return None
        principal = good.principal
        if good.issuer.own and (
            good.issuer.why_void(principal, good.issued_at)
            or good.issuer.groups_now(principal) != principal.groups
        ):
            self._remembered.forget(token)
            return None
        return principal

    def says_to_be(self, token: str, object_ids: frozenset[str]) -> bool:
        """Whether a token claims to be one of these; nothing of it is proved."""
        try:
            told = read_compact(token, self._options.bytes_max)
            issuer = self._issuers.find(told)
            validity(told.claims, self._clock(), self._options.clock_skew_s)
            return principal_of(told.claims, issuer.settings).object_id in object_ids
        except TokenRefused:
            return False

    def as_it_is_now(self, principal: Principal) -> Principal:
        """Somebody who was recognised before, with the groups of now; see `TokenVerifier`."""
        if self._own is None or principal.issuer not in self._own_names:
            return principal
        why = self._own.why_void(principal, math.inf)
        if why:
            raise TokenRefused(why, lasting=False)
        return msgspec.structs.replace(principal, groups=self._own.groups_now(principal))

    async def verify(self, token: str, audiences: frozenset[str]) -> Principal:
        """Whose it is.

        Raises TokenRefused with what is wrong, ForeignTenant, and ServiceUnavailable while the
        issuer's keys can't be had.
        """
        self._remembered.refuse_again(token)
        try:
            good = await self._good(token)
        except TokenRefused as refused:
            self._remembered.keep_refused(token, refused)
            raise
        self._remembered.keep(token, good)
        if good.audiences.isdisjoint(audiences):
            raise foreign_audience(good.audiences, audiences)
        return good.principal

    async def verified_claims(self, assertion: str, audience: str) -> Mapping[str, Any]:
        """The claims of a declared external issuer's token for exactly this audience.

        `iss` and `sub` are texts. Raises TokenRefused, this server's own tokens included, and
        ServiceUnavailable while the issuer's keys can't be had.
        """
        try:
            token, issuer, _ = await self._verified(assertion)
        except ForeignTenant as foreign:
            raise TokenRefused(foreign.message) from None
        if issuer.own:
            raise TokenRefused("This server's own tokens are no assertion of somebody else.")
        said = audiences_of(token.claims)
        if audience not in said:
            raise foreign_audience(said, frozenset((audience,)))
        if not isinstance(token.claims.get("sub"), str):
            raise TokenRefused("The claim 'sub' is missing or is no text.")
        return token.claims

    async def _good(self, text: str) -> Good:
        """A verified token with whose it is. Raises TokenRefused."""
        token, issuer, when = await self._verified(text)
        if "cnf" in token.claims:
            raise TokenRefused(
                "The token is bound to a key ('cnf'), whose possession can't be proved here."
            )
        principal = principal_of(token.claims, issuer.settings)
        if issuer.own:
            why = issuer.why_void(principal, when.issued_at)
            if why:
                raise TokenRefused(why, lasting=False)
            groups = issuer.groups_now(principal)
            principal = msgspec.structs.replace(principal, groups=groups)
        else:
            principal = self._kept_apart(principal)
        return Good(
            principal=principal,
            audiences=issuer.opened_by(audiences_of(token.claims)),
            until=when.until,
            issued_at=when.issued_at,
            issuer=issuer,
        )

    async def _verified(self, text: str) -> tuple[Unverified, Issuer, Validity]:
        """A token whose signature, times and tenant are right, and who gave it out."""
        token = read_compact(text, self._options.bytes_max)
        issuer = self._issuers.find(token)
        if token.algorithm not in issuer.settings.algorithms:
            raise TokenRefused(
                "The header's 'alg' must be one of those that this issuer signs with: "
                f"{', '.join(issuer.settings.algorithms)}."
            )
        key = await issuer.keys.key(token.kid)
        if key is None:
            raise TokenRefused("The header's 'kid' is no key of the issuer.", lasting=False)
        if (
            not key.fits(token.algorithm)
            or not issuer.may_sign(key, token)
            or not is_signed(token, key)
        ):
            raise TokenRefused("The signature is not one of the issuer's key.")
        when = validity(token.claims, self._clock(), self._options.clock_skew_s)
        tenant: object = token.claims.get("tid")
        if not issuer.allows_tenant(tenant):
            raise ForeignTenant(tenant[:100] if isinstance(tenant, str) else "(none)")
        return token, issuer, when

    def _kept_apart(self, principal: Principal) -> Principal:
        """A principal of an external issuer, which can't be one of this server's directory."""
        if self.belongs_here(principal.object_id):
            raise TokenRefused(
                "The token's object id is that of somebody in this server's own directory. Set "
                "object_ids = 'derived' for this issuer.",
                lasting=False,
            )
        foreign = frozenset(each for each in principal.groups if not self.belongs_here(each))
        if foreign == principal.groups:
            return principal
        return msgspec.structs.replace(principal, groups=foreign)
