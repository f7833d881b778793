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
    arc_folder: Annotated[
        str,
        Meta(
            description="Where callers of the Azure Arc form find the challenge that they read. "
            "Clients look in the default one only."
        ),
    ] = "/var/opt/azcmagent/tokens"


class BoundIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Callers that get a managed identity's tokens. One `[managed_identities.NAME]` table each.

    All of address, header_secret and user that are given must hold.
    """

    identity: Annotated[
        str,
        Meta(
            description="ARM id of the user-assigned identity, or of the account with an identity "
            "of its own. Empty: one named like the table, made at the start."
        ),
    ] = ""
    address: Annotated[
        str, Meta(description="Address or network of the callers. Empty: this machine.")
    ] = ""
    header_secret: Annotated[
        str,
        Meta(
            description="What they send as X-IDENTITY-HEADER (IDENTITY_HEADER of App Service), at "
            "least 16 characters; better env:NAME. Without it they use the form of virtual "
            "machines."
        ),
    ] = ""
    user: Annotated[
        str,
        Meta(
            description="Unix user (name or number) whose processes they are, on this machine; "
            "Linux only."
        ),
    ] = ""

    def __repr__(self) -> str:
        """Hide the secret."""
        return f"BoundIdentity({self.identity or 'its own'})"
