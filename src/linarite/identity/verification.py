"""The verification of access tokens, put together from settings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import msgspec

from linarite.controls.authenticate.audiences import Audiences
from linarite.controls.authenticate.issuers import TENANT_MARK, Issuer
from linarite.controls.authenticate.key_ring import KeyRing, OwnKeys, Pace
from linarite.controls.authenticate.options import IssuerSettings, Tokens
from linarite.controls.authenticate.verifier import Verifier
from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.principal import Standing
from linarite.identity.issuer_documents import IssuerDocuments, discovery_url_of, safe_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.dial import Dialer
    from linarite.domain.directory import DirectoryEntry
    from linarite.domain.principal import PublishedKeys

FILE_REFRESH_S = 60.0
"""the longest until a changed key-set file is noticed"""


class OwnDirectory(Standing, Protocol):
    """Whom this server itself knows."""

    def entry(self, object_id: str) -> DirectoryEntry | None:
        """Whom an object id means; None for nobody of this tenant."""
        ...


class Verification:
    """The verifier with all issuers that settings declare, and what keeps their keys fresh."""

    def __init__(
        self,
        tokens: Tokens,
        issuers: Mapping[str, IssuerSettings],
        dialer: Dialer,
    ) -> None:
        """Nobody is trusted yet."""
        self.audiences = Audiences(tokens)
        self.verifier = Verifier(tokens)
        self._issuers = issuers
        self._dialer = dialer
        self._rings: dict[str, KeyRing] = {}
        self._work: list[asyncio.Task[None]] = []

    def trust_own(self, published: PublishedKeys, directory: OwnDirectory, tenant: str) -> None:
        """Take this server's own tokens: of its tenant, whose principal is in good standing.

        No other issuer may name the object id of anybody in the directory.
        """
        names = sorted(published.issuers)
        settings = IssuerSettings(issuer=names[0], object_id_claims=["oid"])
        keys = OwnKeys(published, self.verifier.forget)
        self.verifier.trust(
            Issuer("", settings, keys, tenants=(tenant,), standing=directory), names
        )
        self.verifier.belongs_here = lambda object_id: directory.entry(object_id) is not None

    async def start(self) -> None:
        """Begin to take the tokens of the declared issuers. Raises SetupError.

        Nobody waits for issuers that are elsewhere: their keys come when they come.
        """
        for name, settings in self._issuers.items():
            documents = IssuerDocuments(settings, self._dialer)
            ring = KeyRing(name, documents.key_set, self.verifier.forget, _pace(settings))
            self.verifier.trust(Issuer(name, settings, ring), (settings.issuer,))
            self._rings[name] = ring
            if settings.key_set_file:
                await ring.look()
                if ring.problem:
                    raise SetupError(f"issuers.{name}.key_set_file: {ring.problem}.")
            self._work.append(asyncio.create_task(ring.keep_fresh()))

    async def stop(self) -> None:
        """Let the keys be."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        for ring in self._rings.values():
            await ring.close()


def issuer_hosts(issuers: Mapping[str, IssuerSettings]) -> frozenset[str]:
    """The hosts that settings name as issuers'. Raises SetupError for what can't be an issuer."""
    hosts: set[str] = set()
    seen: dict[str, str] = {}
    for name, settings in issuers.items():
        place = f"issuers.{name}"
        if settings.issuer in seen:
            raise SetupError(f"{place}.issuer is that of issuers.{seen[settings.issuer]} too.")
        seen[settings.issuer] = name
        sources = (settings.discovery_url, settings.key_set_url, settings.key_set_file)
        if sum(map(bool, sources)) > 1:
            raise SetupError(
                f"{place}: give one of discovery_url, key_set_url and key_set_file, or none."
            )
        if TENANT_MARK in settings.issuer and not settings.allowed_tenants:
            raise SetupError(
                f"{place}: with {TENANT_MARK} in issuer, allowed_tenants must list the tenants; "
                "otherwise anybody with an account there would be known here."
            )
        if settings.key_set_file:
            continue
        key = "key_set_url" if settings.key_set_url else "discovery_url"
        try:
            hosts.add(safe_target(settings.key_set_url or discovery_url_of(settings)).host)
        except EgressRefused as refused:
            raise SetupError(f"{place}.{key}: {refused.message}") from None
    return frozenset(hosts)


def _pace(settings: IssuerSettings) -> Pace:
    pace = Pace(refresh_s=settings.refresh_s, stale_s=settings.stale_s)
    if settings.key_set_file:
        refresh_s = min(settings.refresh_s, FILE_REFRESH_S)
        return msgspec.structs.replace(pace, refresh_s=refresh_s, stale_s=float("inf"))
    return pace
