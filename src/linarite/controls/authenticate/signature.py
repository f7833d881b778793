"""Whether a token is signed by the key it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

if TYPE_CHECKING:
    from linarite.controls.authenticate.compact import Unverified
    from linarite.controls.authenticate.key_set import PublicKey


def is_signed(token: Unverified, key: PublicKey) -> bool:
    """Whether the signature is the key's. The algorithm must be one that the key fits.

    Only the library's mathematics are asked: a reader of its own would read the header again,
    and perhaps differently.
    """
    signed = token.text.rpartition(".")[0].encode("ascii")
    try:
        return JWSRegistry.algorithms[token.algorithm].verify(signed, token.signature, key.key)
    except (JoseError, ValueError):
        return False
