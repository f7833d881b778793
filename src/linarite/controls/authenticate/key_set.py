"""Public keys of an issuer, by their ids: what of a JSON Web Key Set can verify tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import structlog
from joserfc import jwk
from joserfc.errors import JoseError

if TYPE_CHECKING:
    from collections.abc import Mapping

log = structlog.get_logger("linarite.tokens")

Key = jwk.RSAKey | jwk.ECKey | jwk.OKPKey

ALGORITHMS: Mapping[str, tuple[str, str]] = {
    **{f"{family}{bits}": ("RSA", "") for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "Ed25519": ("OKP", "Ed25519"),
    "EdDSA": ("OKP", "Ed25519"),  # its name before RFC 9864
}
"""what settings may allow → the kind of key and its curve. No HMAC: its key would be no secret"""

_PUBLIC_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_RSA_BITS = range(2048, 8193)
_RSA_EXPONENT_CHARACTERS_MAX = 8
KEYS_MAX = 100


class PublicKey:
    """A key with what its publisher says it is for."""

    __slots__ = ("algorithm", "curve", "issuer", "key", "kind")

    def __init__(self, key: Key, members: Mapping[str, Any]) -> None:
        self.key = key
        self.kind: str = members["kty"]
        self.curve: str = members.get("crv", "")
        self.algorithm = members.get("alg")
        """the only one it may be used with; None when its publisher does not say"""
        issuer = members.get("issuer")
        self.issuer: str | None = issuer if isinstance(issuer, str) else None
        """Entra ID's: whose tokens it is for"""

    def fits(self, algorithm: str) -> bool:
        """Whether it is a key of that algorithm."""
        if self.algorithm not in (None, algorithm):
            return False
        kind, curve = ALGORITHMS[algorithm]
        return (kind, curve) == (self.kind, self.curve if curve else "")


def read_key_set(document: Mapping[str, Any]) -> dict[str, PublicKey]:
    """The keys by their ids. Those that can't verify tokens are left out.

    Raises ValueError when it is no key set, or one of more than a hundred keys.
    """
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("it has no list 'keys'")  # noqa: TRY004 - about a text, as in strict_json
    entries = cast("list[object]", listed)
    if len(entries) > KEYS_MAX:
        raise ValueError(f"it has more than {KEYS_MAX} keys")
    found: dict[str, PublicKey] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        members = cast("dict[str, Any]", entry)
        kid = members.get("kid")
        if not isinstance(kid, str) or not kid or not _for_signatures(members):
            continue
        if kid in found:
            log.warning("key id occurs twice", kid=kid[:100])
            continue
        key = _imported(members)
        if key is not None:
            found[kid] = PublicKey(key, members)
    return found


def _for_signatures(members: Mapping[str, Any]) -> bool:
    operations = members.get("key_ops")
    return members.get("use") in (None, "sig") and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _imported(members: Mapping[str, Any]) -> Key | None:
    """The public part alone, whatever else stands beside it; None when it is of no use."""
    kind = members.get("kty")
    names = _PUBLIC_MEMBERS.get(kind) if isinstance(kind, str) else None
    if names is None or not all(isinstance(members.get(name), str) for name in names):
        return None
    if kind == "RSA" and len(members["e"]) > _RSA_EXPONENT_CHARACTERS_MAX:
        return None
    public: dict[str, Any] = {"kty": kind, **{name: members[name] for name in names}}
    try:
        key = cast("Key", jwk.import_key(public))
        usable = not isinstance(key, jwk.RSAKey) or key.raw_value.key_size in _RSA_BITS
    except (JoseError, ValueError, TypeError, OverflowError):
        return None
    return key if usable else None
