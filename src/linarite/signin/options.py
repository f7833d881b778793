"""What settings say about signing in."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

ISSUER = "https://sts.linarite.internal"


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """This server's own directory and the tokens that it gives out."""

    tenant: Annotated[
        str,
        Meta(
            description="The tenant's GUID. Empty: one that is made at the first start.",
            pattern="^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$",
        ),
    ] = ""
    issuer: Annotated[
        str,
        Meta(
            description="What tokens name as their issuer, before the tenant. Set it to this "
            "server's public URL when others check its tokens by OpenID discovery.",
            pattern="^https?://[^/]+[^?#]*$",
        ),
    ] = ISSUER
    token_minutes: Annotated[
        int, Meta(description="Minutes an access token holds.", ge=5, le=1440)
    ] = 60
    refresh_days: Annotated[
        int, Meta(description="Days after which an unused refresh token ends.", ge=1, le=365)
    ] = 90
    key_days: Annotated[
        int,
        Meta(
            description="Days after which tokens are signed with a new key; what the old ones "
            "signed holds until it ends.",
            ge=1,
        ),
    ] = 90
    audiences: Annotated[
        list[str],
        Meta(description="Other resources that tokens are given out for, as clients name them."),
    ] = []
