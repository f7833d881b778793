"""Signatures as Standard Webhooks 1.0 has them: who receives can tell that we sent it, and when.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64
SECRETS_MAX = 2


def signature_headers(
    message_id: str, sent_at_s: int, body: bytes, secrets: Sequence[bytes]
) -> list[tuple[str, str]]:
    """`webhook-id`, `webhook-timestamp` and `webhook-signature`, one signature for each secret."""
    signed = b"%b.%d.%b" % (message_id.encode(), sent_at_s, body)
    signatures = [
        f"v1,{b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"
        for secret in secrets
    ]
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(sent_at_s)),
        ("webhook-signature", " ".join(signatures)),
    ]


def secrets_of(text: str, place: str) -> tuple[bytes, ...]:
    """The secrets that a setting holds. Raises SetupError, which shows none of them."""
    words = text.split()
    secrets = tuple(filter(None, map(_secret, words)))
    if not words or len(secrets) != len(words) or len(words) > SECRETS_MAX:
        raise SetupError(
            f"{place} must be 'whsec_' and the base64 of {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} "
            "random bytes, or two of these with a space between. Make one with: "
            "echo whsec_$(openssl rand -base64 32)"
        )
    return secrets


def shown_secret(secret: bytes) -> str:
    """A secret as receivers are told it."""
    return PREFIX + b64encode(secret).decode()


def _secret(word: str) -> bytes | None:
    if not word.startswith(PREFIX):
        return None
    try:
        raw = b64decode(word.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if SECRET_BYTES_MIN <= len(raw) <= SECRET_BYTES_MAX else None
