"""What settings say about the names under which accounts are found."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class DnsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answering names to those outside all networks, as Azure's public DNS does."""

    listen: Annotated[
        list[str],
        Meta(
            description="Each an ADDRESS or ADDRESS:PORT on which the names below server.domain "
            "are answered, UDP and TCP: accounts by the public address. Empty: not answered."
        ),
    ] = []
    public_addresses: Annotated[
        list[str],
        Meta(
            description="Addresses under which the public side of this server is reached. Empty: "
            "server.host, if it is one."
        ),
    ] = []
