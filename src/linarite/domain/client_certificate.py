"""A client's certificate, as far as it tells whose a call is."""

from __future__ import annotations

import msgspec


class ShownCertificate(msgspec.Struct, frozen=True):
    """A certificate that a listener's authorities vouch for, its key proved in the handshake."""

    thumbprint: str
    """SHA-256, hexadecimal in lower case"""
    subject: str
    """as in RFC 4514, the most particular part first: CN=robot,O=Contoso"""
    names: frozenset[str] = frozenset()
    """subject alternative names with their kinds: DNS:, URI:, email:, IP:"""
