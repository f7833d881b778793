"""What every part of the sign-in plane works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.domain.access import Access
from linarite.domain.audit import AuditTrail
from linarite.domain.sign_in import SignInEvent
from linarite.signin.directory.book import DirectoryBook
from linarite.signin.directory.secrets import Passwords
from linarite.signin.directory.writing import DirectoryWriter
from linarite.signin.grants.pending import PendingSignIns
from linarite.signin.grants.sessions import Sessions
from linarite.signin.managed.callers import Bindings
from linarite.signin.managed.challenges import Challenges
from linarite.signin.options import SignIn
from linarite.signin.throttle import Throttle
from linarite.signin.tokens.resources import Resources
from linarite.signin.tokens.signing_keys import SigningKeys

if TYPE_CHECKING:
    from linarite.signin.request import Ask


class AssertionVerifier(Protocol):
    """Checks what others have signed: the tokens of federated credentials."""

    async def verified_claims(self, assertion: str, audience: str) -> Mapping[str, Any]:
        """The claims of a declared external issuer's token for exactly this audience.

        `iss` and `sub` are texts. Raises TokenRefused, this server's own tokens included.
        """
        ...


class Desk(msgspec.Struct, kw_only=True):
    """The directory, the keys and the facts behind the plane, the same for every request."""

    tenant: str
    options: SignIn
    book: DirectoryBook
    directory: DirectoryWriter
    keys: SigningKeys
    audiences: Resources
    passwords: Passwords
    throttle: Throttle
    pending: PendingSignIns
    sessions: Sessions
    bindings: Bindings
    challenges: Challenges
    digest: Callable[[str], bytes]
    """HMAC under the server's pepper"""
    now: Callable[[], float]
    """seconds since the epoch"""
    audit: AuditTrail
    """where changes of the directory are told"""
    on_sign_in: Callable[[SignInEvent], Awaitable[None]]
    management: Mapping[bytes, str]
    """digests of the management keys, which open the directory"""
    access: Access | None = None
    """None: only the management key opens the directory"""
    others: AssertionVerifier | None = None
    """None: assertions of nobody else are taken"""

    async def tell(self, ask: Ask, event: SignInEvent) -> None:
        """Have a sign-in kept, with what the request says of it."""
        await self.on_sign_in(
            msgspec.structs.replace(
                event, at=self.now(), address=ask.address, correlation_id=ask.correlation_id
            )
        )
