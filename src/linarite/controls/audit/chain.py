r"""The chain's arithmetic: bytes in, hashes out, the same for whoever makes or proves it.

    genesis = SHA-256("linarite audit log\n" + public key)
    hash    = SHA-256("linarite audit entry\n" + hash before + seq + SHA-256(body))

`seq` is 8 bytes, big-endian. A body counts by its hash alone, so that a part of the log can be
proved without showing the rest.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.audit import AuditEntry, AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

SEQ_BYTES = 8

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(AuditEvent).decode


def canonical(event: AuditEvent) -> bytes:
    """An event's one and only form: JSON, fields in the order of the noun, details by name."""
    return _encode(event)


def event_of(body: bytes) -> AuditEvent:
    """The event that canonical bytes tell. Raises msgspec.DecodeError."""
    return _decode(body)


def genesis(public_key: bytes) -> bytes:
    """What stands before the first entry: no log goes on where another key's log ended."""
    return hashlib.sha256(b"linarite audit log\n" + public_key).digest()


def body_digest(body: bytes) -> bytes:
    """What of a body enters the chain."""
    return hashlib.sha256(body).digest()


def linked(before: bytes, seq: int, digest: bytes) -> bytes:
    """The hash of an entry, by the hash before it and its body's digest."""
    place = seq.to_bytes(SEQ_BYTES, "big")
    return hashlib.sha256(b"linarite audit entry\n" + before + place + digest).digest()


def chained(before: bytes, seq: int, events: Iterable[AuditEvent]) -> list[AuditEntry]:
    """The entries that follow the entry `seq`, whose hash is `before`."""
    entries: list[AuditEntry] = []
    for event in events:
        seq += 1
        body = canonical(event)
        before = linked(before, seq, body_digest(body))
        entries.append(AuditEntry(seq, body, before))
    return entries
