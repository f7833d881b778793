"""Signed checkpoints: Ed25519 over what a checkpoint says."""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from linarite.domain.audit import Checkpoint

SEALED_AS = "audit signing key"
"""the name under which a SecretBox holds the private key"""


class AuditKey:
    """A log's signing key. Its repr shows the fingerprint alone."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        """Hide the key."""
        return f"AuditKey({fingerprint(self.public)})"

    @classmethod
    def new(cls) -> AuditKey:
        """A fresh one."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, private: bytes) -> AuditKey:
        """The key that `private_bytes` gave."""
        return cls(Ed25519PrivateKey.from_private_bytes(private))

    def private_bytes(self) -> bytes:
        """The key itself, to be sealed and never kept in the clear."""
        return self._private.private_bytes_raw()

    def checkpoint(self, seq: int, chain_hash: bytes, at: str, kind: str) -> Checkpoint:
        """A signed statement about the chain."""
        unsigned = Checkpoint(seq, chain_hash, at, kind, b"")
        return msgspec.structs.replace(unsigned, signature=self._private.sign(_said(unsigned)))


def is_signed_by(checkpoint: Checkpoint, public_key: bytes) -> bool:
    """Whether the holder of a key has made the statement."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            checkpoint.signature, _said(checkpoint)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public_key: bytes) -> str:
    """A public key's short name: `SHA256:` and 64 hexadecimal digits."""
    return f"SHA256:{hashlib.sha256(public_key).hexdigest()}"


def pem(public_key: bytes) -> str:
    """A public key as other programs read it."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _said(checkpoint: Checkpoint) -> bytes:
    """What is signed: a line for each field, so that no field runs into the next."""
    lines = (
        "linarite audit checkpoint",
        str(checkpoint.seq),
        checkpoint.hash.hex(),
        checkpoint.at,
        checkpoint.kind,
    )
    return "\n".join(lines).encode()
