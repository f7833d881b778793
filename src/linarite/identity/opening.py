"""Building what tells who somebody is, from the parts of a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite.controls.authorize.book import AccessBook
from linarite.dataplane.key_door import KeyDoor
from linarite.dataplane.pipeline import Surface
from linarite.dataplane.token_door import TokenDoor
from linarite.domain.audit import AuditTrail
from linarite.domain.client_certificate import CertificateHolders, NoHolders
from linarite.domain.dial import Dialer
from linarite.domain.errors import SetupError
from linarite.domain.resource import ResourceStore
from linarite.domain.secret_box import SecretBox
from linarite.identity.auditing import GUID, audited_sign_in
from linarite.identity.certificate_holders import MappedHolders
from linarite.identity.key_uses import KeyUses
from linarite.identity.verification import Verification
from linarite.settings import Settings
from linarite.signin.opening import SignInParts, SignInPlane, open_sign_in

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from linarite.controls.quota import Limiter
    from linarite.dataplane.facts import FactsBook
    from linarite.dataplane.pipeline import Host
    from linarite.domain.resource import KeyStore
    from linarite.domain.sign_in import SignInEvent

log = structlog.get_logger("linarite.identity")


class IdentityParts(msgspec.Struct, frozen=True, kw_only=True):
    """What identity is made of."""

    tenant: str
    settings: Settings
    resources: ResourceStore
    box: SecretBox
    digest: Callable[[str], bytes]
    """HMAC under the server's pepper"""
    management: Mapping[bytes, str]
    """digests of the management keys"""
    dialer: Dialer
    """by which the keys of other issuers are fetched"""
    audit: AuditTrail


class Identity(msgspec.Struct, frozen=True):
    """Everything about who somebody is."""

    sign_in: SignInPlane
    verification: Verification
    """to be stopped with the server"""
    access: AccessBook
    """`Access`"""
    holders: CertificateHolders = NoHolders()
    """tell who shows a client certificate"""

    def door(self) -> TokenDoor:
        """How the data plane lets in who shows a token."""
        verification = self.verification
        return TokenDoor(verification.verifier, verification.audiences.data, self.access)

    def admission(
        self,
        door: TokenDoor,
        facts: FactsBook,
        host: Host,
        limiter: Limiter,
        keys: KeyStore,
        stack: AsyncExitStack,
    ) -> Surface:
        """What the data path asks about each request.

        Leaving `stack` keeps when applications' keys were used last.
        """
        key_door = KeyDoor(self.access)
        uses = KeyUses(key_door.take_used, keys.applications)
        uses.start()
        stack.push_async_callback(uses.stop)
        return Surface(
            facts=facts,
            digest=keys.digest,
            host=host,
            limiter=limiter,
            door=door,
            key_door=key_door,
            holders=self.holders,
        )


async def open_identity(parts: IdentityParts) -> Identity:
    """Read the roles, the directory and the keys. Raises SetupError."""
    settings = parts.settings
    verification = Verification(settings.tokens, settings.issuers, parts.dialer)
    access = AccessBook(parts.resources, lambda: datetime.now(UTC))
    parts.resources.subscribe(access.follow)
    await access.refresh()
    by_key = settings.controlplane.management_key
    if not by_key:
        require_owner(access, settings.account.subscription)
    sign_in = await open_sign_in(
        SignInParts(
            tenant=parts.tenant,
            options=parts.settings.signin,
            resources=parts.resources,
            box=parts.box,
            digest=parts.digest,
            management=parts.management if by_key else {},
            managed_identities=parts.settings.managed_identities,
            audit=parts.audit,
            on_sign_in=sign_in_keeper(parts.audit),
            access=access,
            others=verification.verifier,
        )
    )
    verification.trust_own(sign_in.keys, sign_in.book, parts.tenant)
    await verification.start()
    holders = MappedHolders(settings.client_certificates, sign_in.book, parts.tenant)
    holders.warn()
    return Identity(sign_in, verification, access, holders)


def sign_in_keeper(audit: AuditTrail) -> Callable[[SignInEvent], Awaitable[None]]:
    """What keeps sign-ins: in the log, and in the audit log before a token is given out.

    Refusals are noted: whoever guesses passwords can't have us write without bound.
    """

    async def keep(event: SignInEvent) -> None:
        told_in_log(event)
        if event.code:
            audit.note(audited_sign_in(event))
        else:
            await audit.record(audited_sign_in(event))

    return keep


def require_owner(access: AccessBook, subscription: str) -> None:
    """Let a server start without its management key where somebody else may assign roles.

    Raises SetupError, with what to do.
    """
    scope = f"/subscriptions/{subscription}"
    if not access.somebody_may("Microsoft.Authorization/roleAssignments/write", scope):
        raise SetupError(
            "controlplane.management_key is false, but nobody has a role that may assign roles at "
            f"{scope}: this server could be managed by nobody. Start it once with "
            "controlplane.management_key = true, give somebody the role with `linarite role "
            f"assignment create --role Owner --scope {scope} --assignee NAME`, then set it to "
            "false again."
        )


def told_in_log(event: SignInEvent) -> None:
    """A line for each sign-in; refusals are what one looks for.

    Names stay out of it: who mistakes the field types a password there.
    """
    told = {
        "how": event.how,
        "client_id": event.client_id if GUID.fullmatch(event.client_id) else "",
        "object_id": event.object_id,
        "resource": event.resource,
        "address": event.address,
        "correlation_id": event.correlation_id,
    }
    told = {name: value for name, value in told.items() if value}
    if event.code:
        log.warning("sign-in refused", aadsts=event.code, **told)
    else:
        log.info("signed in", **told)
