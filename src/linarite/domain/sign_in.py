"""What happened when somebody signed in, for those who keep it."""

from __future__ import annotations

import msgspec


class SignInEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in: a token that was given out, or a refusal. Never what was presented."""

    at: float
    """seconds since the epoch"""
    how: str
    """the way: `client_secret`, `certificate`, `federated`, `device_code`, `password`, `refresh`,
    `on_behalf_of`, `managed_identity`; the grant as it was asked for where nothing was proved"""
    client_id: str = ""
    """the application, as it named itself"""
    object_id: str = ""
    """whose token it is; "" where nobody was recognised"""
    name: str = ""
    """of the same, for people"""
    resource: str = ""
    """what the token is for"""
    address: str = ""
    """of the caller"""
    code: int = 0
    """0 for success, else the number after AADSTS"""
    correlation_id: str = ""
