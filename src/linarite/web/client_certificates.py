"""Clients' certificates: what a handshake has told, and what settings say, to be compared."""

from __future__ import annotations

import re
from ipaddress import ip_address

import msgspec

from linarite.domain.client_certificate import ShownCertificate

KEY_PRINT = re.compile(r"[0-9a-f]{64}")


class ClientChain(msgspec.Struct, frozen=True):
    """As much of it as tells whose the certificate is, and when its connection has to end."""

    shown: ShownCertificate
    links: tuple[tuple[bytes, int], ...]
    """issuer (DER) and serial number of each certificate, as revocation lists name them"""
    until: float
    """when the first of them ends, Unix seconds"""
    anchor: bytes
    """the last, which settings trust (DER); b"" where it is not known"""
    judged_by: object | None = None
    """where one can't be read: what it was verified by, which is all that can be said of it"""


def tidy_name(said: str) -> str:
    """A subject alternative name as `ShownCertificate.names` has it. Raises ValueError."""
    kind, _, value = said.partition(":")
    match kind.lower():
        case "dns":
            return f"DNS:{value.lower()}"
        case "email":
            return f"email:{value.lower()}"
        case "ip":
            return f"IP:{ip_address(value)}"
        case "uri":
            return f"URI:{value}"
        case _:
            raise ValueError("its kind is none of DNS:, URI:, email: and IP:")


def tidy_issuer(said: str) -> str:
    """An authority as `ShownCertificate.issuers` has it. Raises ValueError."""
    key = said.replace(":", "").lower()
    if KEY_PRINT.fullmatch(key):
        return key
    from cryptography import x509  # noqa: PLC0415 - slow, and few settings name a subject

    return x509.Name.from_rfc4514_string(said).rfc4514_string()
