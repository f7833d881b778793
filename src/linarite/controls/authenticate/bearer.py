"""Which of a request's headers is the access token, if one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def access_token(headers: Mapping[bytes, bytes]) -> str | None:
    """The access token that a request on the data plane shows; None when a key decides.

    A key in a header of its own comes first: some clients send a token beside it. A bearer token
    without a dot in it can be no access token, so it is a key.
    """
    if headers.get(b"api-key") or headers.get(b"ocp-apim-subscription-key"):
        return None
    authorization = headers.get(b"authorization")
    if authorization is None or b"." not in authorization:
        return None
    if authorization[:7].lower() != b"bearer ":
        return None
    return authorization[7:].strip().decode("latin-1")
