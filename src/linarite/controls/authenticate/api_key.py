"""Keys: found by the HMAC of what was presented, so the keys themselves are never in memory."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from linarite.domain.errors import InvalidKey, KeyAuthenticationDisabled
from linarite.domain.principal import KEY, Principal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from linarite.domain.facts import Account

KEY_BYTES_MAX = 512


HOLDERS = {name: Principal(kind=KEY, name=name) for name in ("key1", "key2")}
"""who calls with a key: made once, not for each request"""


def identify(
    headers: Mapping[bytes, bytes], account: Account, digest: Callable[[str], bytes]
) -> Principal:
    """Recognise the caller by the key in the headers; its name is that of the key.

    What an application's key may do, and whether it has ended, its `terms` say: they are for
    whoever asks this to look at.

    `api-key` decides when it is there: some clients send a bearer token beside it, which Azure
    ignores then. Otherwise `Ocp-Apim-Subscription-Key`, then `Authorization: Bearer <key>`.
    """
    presented = _presented_key(headers)
    if presented is None:
        raise InvalidKey
    if account.local_auth_disabled:
        raise KeyAuthenticationDisabled
    wanted = digest(presented)
    found = ""
    for known, name in account.key_digests.items():  # all of them, each in constant time
        if hmac.compare_digest(wanted, known):
            found = name
    if found:
        return HOLDERS[found]
    # One look-up among hundreds of keys. How long it takes depends on bits of the digest of what
    # was presented, which only who has the pepper can foresee, or choose: it tells a caller
    # nothing of how near a guess came to any key.
    holder = account.application_keys.get(wanted)
    if holder is None:
        raise InvalidKey
    return holder


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
