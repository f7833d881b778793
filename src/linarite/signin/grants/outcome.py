"""What a grant comes to, for the token endpoint to answer with."""

from __future__ import annotations

import msgspec

from linarite.signin.clients import Client
from linarite.signin.tokens.access_token import Granted


class Outcome(msgspec.Struct, frozen=True):
    """A token that is to be given out."""

    granted: Granted
    client: Client
    how: str
    """as sign-in events name it"""
    refresh_token: str = ""
    nonce: str = ""
    """of the request that signed a person in, for the ID token"""

    def __repr__(self) -> str:
        """Hide the refresh token."""
        return f"Outcome({self.how})"
