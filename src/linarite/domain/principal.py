"""Who calls: what a credential has proved, and the ports that prove it."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

KEY = "Key"
"""the kind of whoever holds a key: a key names no person"""
USER = "User"
SERVICE_PRINCIPAL = "ServicePrincipal"
"""applications and managed identities, as role assignments call both"""


MANAGEMENT_KEYS_ID = "/providers/Linarite/managementKeys/default"
"""under this id the key store keeps the management key, as it keeps an account's"""


class KeyTerms(msgspec.Struct, frozen=True):
    """What is laid down about an application's key: it opens less than an account's own two."""

    key_id: str
    """under which the key store knows it"""
    role: str
    """GUID of the one role that its holder has"""
    scope: str
    """where: the id of the key's account"""
    enabled: bool = True
    deployments: frozenset[str] = frozenset()
    """the only ones that it may use, in lower case; empty for all"""
    tags: str = ""
    """a JSON object of texts; "" for none"""

    def opens(self, deployment: str) -> bool:
        """Whether it may use a deployment, whatever the case."""
        return not self.deployments or deployment.lower() in self.deployments


class Principal(msgspec.Struct, frozen=True):
    """Somebody who was recognised, as roles, logs and audit name them. Never the credential."""

    kind: str
    """User, ServicePrincipal or Key"""
    name: str
    """for people: the user's name, the application's id, or a key's name (`key1`, `app:web`)"""
    object_id: str = ""
    """what roles are assigned to, a GUID in lower case; "" for keys"""
    tenant_id: str = ""
    app_id: str = ""
    """the application that the token was given to"""
    groups: frozenset[str] = frozenset()
    """object ids in lower case"""
    issuer: str = ""
    """the token's `iss`; "" for keys"""
    token_id: str = ""
    """the token's `uti` or `jti`"""
    expires_at: int = 0
    """seconds since the epoch; 0 for never"""
    resource_id: str = ""
    """of a managed identity: the ARM id of the resource that it belongs to; of an application's
    key: its own"""
    terms: KeyTerms | None = None
    """of an application's key; None for everybody else"""

    @property
    def is_key(self) -> bool:
        """Whether it holds a key."""
        return self.kind == KEY

    @property
    def opens_all(self) -> bool:
        """Whether it holds a key that opens everything that keys are for."""
        return self.kind == KEY and self.terms is None


class TokenVerifier(Protocol):
    """Tells whose an access token is. What was verified once is remembered until it ends."""

    def known(self, token: str, audiences: frozenset[str]) -> Principal | None:
        """Whose it is, if it was verified before and still holds; touches nothing but memory."""
        ...

    async def verify(self, token: str, audiences: frozenset[str]) -> Principal:
        """Whose it is. Raises TokenRefused with what is wrong, for logs and for the caller."""
        ...

    def says_to_be(self, token: str, object_ids: frozenset[str]) -> bool:
        """Whether a token of a known issuer claims to be one of these, and not to have ended.

        Nothing of it is proved: whoever need not know more is spared the signature.
        """
        ...

    def as_it_is_now(self, principal: Principal) -> Principal:
        """Somebody who was recognised before, as this server's own directory has them now.

        That tokens were revoked meanwhile does not matter. Others' principals stay as their token
        told. Raises TokenRefused for who has gone or is disabled.
        """
        ...


class Standing(Protocol):
    """Whether this server's own directory still vouches for somebody."""

    def valid_from(self, tenant_id: str, object_id: str) -> int | None:
        """Tokens issued before this second are void; 0: none is. None: gone or disabled."""
        ...

    def groups_of(self, object_id: str) -> frozenset[str]:
        """The object ids of the groups that somebody is in now."""
        ...


class PublishedKeys(Protocol):
    """The public keys under which this server's own tokens are signed."""

    @property
    def issuers(self) -> frozenset[str]:
        """What those tokens name as `iss`: `…/{tenant}/v2.0`, and `…/{tenant}/` of version 1."""
        ...

    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set: `{"keys": [...]}`, keys of tokens that still hold included."""
        ...
