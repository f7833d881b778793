"""Whose tokens are taken, and what is special about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.authenticate.audiences import (
    DATA,
    DATA_AUDIENCES,
    MANAGEMENT,
    MANAGEMENT_AUDIENCES,
)
from linarite.domain.access_errors import TokenRefused
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.controls.authenticate.compact import Unverified
    from linarite.controls.authenticate.key_ring import Keys
    from linarite.controls.authenticate.key_set import PublicKey
    from linarite.controls.authenticate.options import IssuerSettings
    from linarite.domain.principal import Principal, Standing

TENANT_MARK = "{tenantid}"
"""what stands for the tenant in the issuer of Entra ID's configuration for many tenants"""


class Issuer:
    """Somebody whose tokens are taken: their keys, and what settings say of them."""

    def __init__(
        self,
        name: str,
        settings: IssuerSettings,
        keys: Keys,
        *,
        tenants: Iterable[str] = (),
        standing: Standing | None = None,
    ) -> None:
        """`standing` is there for this server's own issuer alone."""
        self.name = name
        self.settings = settings
        self.keys = keys
        self.standing = standing
        self._tenants = frozenset((*settings.allowed_tenants, *tenants))

    @property
    def own(self) -> bool:
        """Whether it is this server itself."""
        return self.standing is not None

    def allows_tenant(self, tenant: object) -> bool:
        """Whether tokens of this `tid` are taken."""
        return not self._tenants or (isinstance(tenant, str) and tenant in self._tenants)

    def may_sign(self, key: PublicKey, token: Unverified) -> bool:
        """Whether the key is for tokens of this `iss`.

        Entra ID's keys for many tenants tell for which issuer each is, which may be one tenant's.
        """
        if TENANT_MARK not in self.settings.issuer or key.issuer is None:
            return True
        return _for_tenant(key.issuer, token) == token.issuer

    def opened_by(self, said: frozenset[str]) -> frozenset[str]:
        """The audiences of a token, with the issuer's own names turned into Azure's."""
        settings = self.settings
        if not settings.audiences and not settings.management_audiences:
            return said
        opened: set[str] = set()
        if not said.isdisjoint(settings.audiences or DATA_AUDIENCES):
            opened.add(DATA)
        if not said.isdisjoint(settings.management_audiences or MANAGEMENT_AUDIENCES):
            opened.add(MANAGEMENT)
        return frozenset(opened)

    def why_void(self, principal: Principal, issued_at: float) -> str:
        """Why a token of this server itself does not hold any more; "" when it does."""
        if self.standing is None:
            return ""
        since = self.standing.valid_from(principal.tenant_id, principal.object_id)
        if since is None:
            return "The token's principal is not in the directory any more, or is disabled."
        if issued_at < since:
            return "The token has been revoked: sign in again."
        return ""

    def groups_now(self, principal: Principal) -> frozenset[str]:
        """Of this server itself those of its directory; of others what their token says.

        So somebody who leaves a group has lost its roles before the token ends.
        """
        if self.standing is None:
            return principal.groups
        return self.standing.groups_of(principal.object_id)


class IssuerTable:
    """The issuers by what tokens name as `iss`, to the letter."""

    def __init__(self) -> None:
        self._exact: dict[str, Issuer] = {}
        self._of_many_tenants: list[tuple[str, Issuer]] = []

    def add(self, issuer: Issuer, names: Iterable[str]) -> None:
        """File an issuer under its names. Raises SetupError for a name that is taken."""
        for name in names:
            if name in self._exact:
                raise SetupError(f"issuers.{issuer.name}: '{name}' is this server's own issuer.")
            if TENANT_MARK in name:
                self._of_many_tenants.append((name, issuer))
            else:
                self._exact[name] = issuer

    def find(self, token: Unverified) -> Issuer:
        """Who says to have given a token out. Raises TokenRefused for a stranger."""
        found = self._exact.get(token.issuer)
        if found is not None:
            return found
        for template, issuer in self._of_many_tenants:
            if _for_tenant(template, token) == token.issuer:
                return issuer
        raise TokenRefused(
            f"The token's issuer ('iss') is '{token.issuer[:200]}', whose tokens are not taken "
            "here. Issuers are declared in settings, under [issuers.NAME]."
        )


def _for_tenant(template: str, token: Unverified) -> str:
    tenant: object = token.claims.get("tid")
    return template.replace(TENANT_MARK, tenant) if isinstance(tenant, str) and tenant else ""
