"""Keys: found by the HMAC of what was presented, so the keys themselves are never in memory."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import InvalidKey, KeyAuthenticationDisabled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from linarite.domain.facts import Account

KEY_BYTES_MAX = 512


class Caller(msgspec.Struct, frozen=True):
    """Who was recognised. `key_name` is `key1` or `key2`, never the key."""

    key_name: str


def identify(
    headers: Mapping[bytes, bytes], account: Account, digest: Callable[[str], bytes]
) -> Caller:
    """Recognise the caller by the key in the headers.

    `api-key` decides when it is there: some clients send a bearer token beside it, which Azure
    ignores then. Otherwise `Ocp-Apim-Subscription-Key`, then `Authorization: Bearer <key>`.
    """
    presented = _presented_key(headers)
    if presented is None:
        raise InvalidKey
    if account.local_auth_disabled:
        raise KeyAuthenticationDisabled
    wanted = digest(presented)
    name = account.key_digests.get(wanted)
    if name is None:
        raise InvalidKey
    # The lookup leaks nothing (an HMAC can't be steered towards a bucket); the comparison is
    # repeated in constant time over every key so that this does not rest on that argument alone.
    matches = [hmac.compare_digest(wanted, known) for known in account.key_digests]
    if not any(matches):
        raise InvalidKey
    return Caller(key_name=name)


def _presented_key(headers: Mapping[bytes, bytes]) -> str | None:
    raw = headers.get(b"api-key") or headers.get(b"ocp-apim-subscription-key")
    if raw is None:
        authorization = headers.get(b"authorization", b"")
        if authorization[:7].lower() != b"bearer ":
            return None
        raw = authorization[7:].strip()
    if not raw or len(raw) > KEY_BYTES_MAX:
        return None
    return raw.decode("latin-1")
