"""Building the sign-in plane from the parts of a server."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from linarite.domain.access import Access
from linarite.domain.audit import AuditTrail
from linarite.domain.resource import ResourceStore
from linarite.domain.secret_box import SecretBox
from linarite.domain.sign_in import SignInEvent
from linarite.signin.desk import AssertionVerifier, Desk
from linarite.signin.directory.book import DirectoryBook
from linarite.signin.directory.secrets import Passwords
from linarite.signin.directory.writing import DirectoryWriter
from linarite.signin.grants.pending import PendingSignIns
from linarite.signin.grants.sessions import Sessions
from linarite.signin.http import SignInApp
from linarite.signin.managed.callers import Bindings
from linarite.signin.managed.challenges import Challenges
from linarite.signin.managed.following import IdentityFollower
from linarite.signin.options import BoundIdentity, SignIn
from linarite.signin.router import Router
from linarite.signin.routes import ROUTES
from linarite.signin.throttle import Throttle
from linarite.signin.tokens.access_token import V1, V2, issuer
from linarite.signin.tokens.resources import Resources
from linarite.signin.tokens.signing_keys import SigningKeys


class SignInParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the sign-in plane is made of."""

    tenant: str
    options: SignIn
    resources: ResourceStore
    box: SecretBox
    digest: Callable[[str], bytes]
    """HMAC under the server's pepper"""
    management: Mapping[bytes, str]
    """digests of the management keys"""
    audit: AuditTrail
    """where changes of the directory are told, before they begin and when they have ended"""
    on_sign_in: Callable[[SignInEvent], Awaitable[None]]
    """awaited before a token is given out; it may raise a LinariteError, and none is"""
    managed_identities: Mapping[str, BoundIdentity] = {}
    access: Access | None = None
    others: AssertionVerifier | None = None
    now: Callable[[], float] = time.time


class SignInPlane(msgspec.Struct, frozen=True):
    """The plane, and the ports that it implements for others."""

    app: SignInApp
    book: DirectoryBook
    """`Standing`"""
    directory: DirectoryWriter
    """`Directory`"""
    keys: SigningKeys
    """`PublishedKeys`"""


async def open_sign_in(parts: SignInParts) -> SignInPlane:
    """Read the directory and the keys; make the first key at the first start."""
    options = parts.options
    base = options.issuer.rstrip("/")
    book = DirectoryBook(parts.resources, parts.tenant)
    keys = SigningKeys(
        parts.resources,
        parts.box,
        parts.now,
        frozenset(issuer(base, parts.tenant, version) for version in (V1, V2)),
        options.key_days,
    )
    await keys.open()
    parts.resources.subscribe(book.follow)
    await book.load()
    sessions = Sessions(parts.resources, parts.digest, parts.now, options.refresh_days)
    await sessions.open()
    directory = DirectoryWriter(parts.resources, book, parts.now)
    desk = Desk(
        tenant=parts.tenant,
        options=options,
        book=book,
        directory=directory,
        keys=keys,
        audiences=Resources(book, options.audiences),
        passwords=Passwords(),
        throttle=Throttle(time.monotonic),
        pending=PendingSignIns(time.monotonic),
        sessions=sessions,
        bindings=Bindings(parts.managed_identities),
        challenges=Challenges(options.arc_folder, time.monotonic),
        digest=parts.digest,
        now=parts.now,
        audit=parts.audit,
        on_sign_in=parts.on_sign_in,
        management=parts.management,
        access=parts.access,
        others=parts.others,
    )
    await desk.bindings.make_declared(desk)
    follower = IdentityFollower(parts.resources, directory)
    await follower.catch_up()
    parts.resources.subscribe(follower.follow)
    return SignInPlane(SignInApp(Router(ROUTES), desk), book, directory, keys)
