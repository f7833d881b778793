"""A client's certificate, as far as it tells whose a call is, and the port that tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.principal import Principal


ISSUER = "urn:linarite:client-certificates"
"""stands in records where a token's issuer does; the certificate's thumbprint, where its id does"""


class ShownCertificate(msgspec.Struct, frozen=True):
    """A certificate that a listener's authorities vouch for, its key proved in the handshake."""

    thumbprint: str
    """SHA-256, hexadecimal in lower case"""
    subject: str
    """as in RFC 4514, the most particular part first: CN=robot,O=Contoso"""
    names: frozenset[str] = frozenset()
    """subject alternative names with their kinds: DNS:, URI:, email:, IP:"""
    issuers: frozenset[str] = frozenset()
    """authorities above it in the chain that was verified: the SHA-256 of each one's public key,
    hexadecimal in lower case, and the subject of those that the listener's settings name"""


class CertificateHolders(Protocol):
    """Tells who somebody is by a certificate; touches nothing but memory."""

    def holder(self, shown: ShownCertificate, listener: str) -> Principal | None:
        """Whose it is, as that listener has checked it; None for nobody's."""
        ...


class NoHolders:
    """Nobody is known by a certificate (`CertificateHolders`)."""

    def holder(self, shown: ShownCertificate, listener: str) -> Principal | None:
        """Nobody."""
        del shown, listener


CREDENTIAL_HEADERS = ("authorization", "api-key", "ocp-apim-subscription-key")
BROWSER_HEADERS = ("origin", "sec-fetch-site")
"""A browser shows its certificate for whatever page makes it send a request. A page can leave out
neither of these, so where one is, the certificate alone says nothing of the person's will."""


def speaks_alone(headers: Mapping[str, str]) -> bool:
    """Whether a certificate is the credential of a request, by its headers, names in lower case.

    Clients that can't be made without a key send an empty one.
    """
    shown = any(headers.get(name) for name in CREDENTIAL_HEADERS)
    return not shown and not any(name in headers for name in BROWSER_HEADERS)
