"""What settings say about webhooks."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One receiver of notices."""

    url: Annotated[
        str,
        Meta(
            description="Where notices are posted. Naming it here opens its host, a private one "
            "too, for this purpose alone."
        ),
    ]
    secret: Annotated[
        str,
        Meta(
            description="What notices are signed with, best as `env:NAME`: `whsec_` and the base64 "
            "of 24 to 64 random bytes. Two, with a space between, while it is changed."
        ),
    ]
    events: Annotated[
        list[str],
        Meta(description="Types of notices that it gets, exact or `limit.*`."),
    ] = msgspec.field(default_factory=lambda: ["*"])
    account: Annotated[
        str,
        Meta(description="Account whose notices alone it gets. Empty: every account's."),
    ] = ""
    ca_file: Annotated[
        str,
        Meta(description="PEM file with the authority of its certificate, if it is no public one."),
    ] = ""

    def __repr__(self) -> str:
        """Hide the secret, and the URL, which often holds one."""
        return f"WebhookSettings(events={self.events}, account={self.account!r})"
