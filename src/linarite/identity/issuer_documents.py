"""What an issuer publishes of itself: its OpenID configuration and its keys, read from afar.

Sources: OpenID Connect Discovery 1.0; RFC 8414; Kubernetes' service account issuer discovery.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linarite import __version__
from linarite.controls.authenticate.strict_json import strict_object
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused, LinariteError
from linarite.domain.target import Target, target_of
from linarite.engines.http_client import HttpClient, dialer_connector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.controls.authenticate.options import IssuerSettings
    from linarite.domain.dial import Dialer

DOCUMENT_BYTES_MAX = 512 * 1024
DOCUMENT_S = 10.0
"""seconds for one document, connecting included"""
OK = 200
FOR_KEYS = Errand("issuer")
"""the server's own errand, whoever showed the token"""


class IssuerDocuments:
    """Reads the key set of one issuer, wherever its settings say that it is."""

    def __init__(self, settings: IssuerSettings, dialer: Dialer) -> None:
        self._settings = settings
        self._dialer = dialer

    async def key_set(self) -> Mapping[str, Any]:
        """The key set as it is now.

        Raises ValueError or OSError that say what is wrong.
        """
        settings = self._settings
        if settings.key_set_file:
            return strict_object(await asyncio.to_thread(_content, settings.key_set_file))
        if settings.key_set_url:
            return await self._document(settings.key_set_url)
        configuration = await self._document(discovery_url_of(settings))
        if configuration.get("issuer") != settings.issuer:
            raise ValueError(
                f"its configuration is that of the issuer '{configuration.get('issuer')}', not of "
                f"'{settings.issuer}'"
            )
        where = configuration.get("jwks_uri")
        if not isinstance(where, str):
            raise ValueError("its configuration has no jwks_uri")  # noqa: TRY004 - about a text
        return await self._document(where)

    async def _document(self, url: str) -> Mapping[str, Any]:
        try:
            target = safe_target(url)
            async with asyncio.timeout(DOCUMENT_S):
                raw = await self._fetched(target)
        except TimeoutError:
            raise OSError(f"{url[:200]} has not answered within {DOCUMENT_S:g} seconds") from None
        except (LinariteError, OSError) as problem:
            raise OSError(f"{url[:200]}: {problem}") from None
        try:
            return strict_object(raw)
        except ValueError as problem:
            raise ValueError(f"{url[:200]}: {problem}") from None

    async def _fetched(self, target: Target) -> bytes:
        connector = dialer_connector(
            self._dialer, target, lambda: FOR_KEYS, ca_file=self._settings.ca_file or None
        )
        client = HttpClient(connector, host=target.host_header, keep_alive=False)
        try:
            answer = await client.send(
                "GET",
                target.path,
                await asyncio.to_thread(self._headers),
                b"",
                first_byte_s=DOCUMENT_S,
                idle_s=DOCUMENT_S,
            )
            body = await answer.read(DOCUMENT_BYTES_MAX)
        finally:
            await client.close()
        if answer.status != OK:
            raise OSError(f"it answers with status {answer.status}; only 200 is taken")
        return body

    def _headers(self) -> list[tuple[str, str]]:
        headers = [
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            ("user-agent", f"linarite/{__version__}"),
        ]
        if self._settings.token_file:
            raw = _content(self._settings.token_file)
            headers.append(("authorization", f"Bearer {raw.decode('ascii').strip()}"))
        return headers


def _content(file: str) -> bytes:
    with Path(file).expanduser().open("rb") as opened:
        return opened.read(DOCUMENT_BYTES_MAX)


def discovery_url_of(settings: IssuerSettings) -> str:
    """Where an issuer's OpenID configuration is."""
    return settings.discovery_url or (
        f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration"
    )


def safe_target(url: str) -> Target:
    """Where a document is read from: over TLS, unless it is this machine. Raises EgressRefused."""
    target = target_of(url)
    if target.read_on_the_way:
        raise EgressRefused(f"An issuer's documents are read over https only: {url[:200]!r}.")
    return target
