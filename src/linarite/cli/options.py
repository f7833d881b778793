"""What settings say about the server that commands speak to."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The server whose control plane commands ask; what is typed wins over it."""

    endpoint: Annotated[
        str,
        Meta(
            description="URL of the server that `linarite account`, `deployment` and the like "
            "speak to. Empty: the one that runs with this data folder."
        ),
    ] = ""
    plaintext_beyond_loopback: Annotated[
        bool,
        Meta(
            description="Send the management key to another machine without TLS, readable on the "
            "way."
        ),
    ] = False
    key_file: Annotated[
        str, Meta(description="File that holds the management key of `client.endpoint`.")
    ] = ""
    ca_file: Annotated[
        str, Meta(description="PEM file with the authority to trust for `client.endpoint`.")
    ] = ""
