"""What settings say about sinks of diagnostic settings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class SinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place that diagnostic settings may send records to."""

    kind: Annotated[
        Literal["folder", "azure_blob", "s3", "syslog", "otlp"],
        Meta(description="What it is. `otlp` is the collector of `[otlp]`."),
    ]
    path: Annotated[
        str,
        Meta(description="Of a folder: where it is. Relative ones lie in the data folder."),
    ] = ""
    address: Annotated[
        str,
        Meta(
            description="Of syslog: `udp://HOST:PORT`, `tcp://…`, `tls://…` or `unix:///dev/log`. "
            "Naming a host here opens it, a private one too, for this purpose alone."
        ),
    ] = ""
    ca_file: Annotated[
        str,
        Meta(
            description="PEM file with the authority of a `tls` or `https` address, if it is no "
            "public one."
        ),
    ] = ""
    facility: Annotated[
        int, Meta(ge=0, le=23, description="Of syslog: the facility's number; 16 is `local0`.")
    ] = 16
    url: Annotated[
        str,
        Meta(
            description="Of azure_blob: `https://NAME.blob.core.windows.net`. Of s3: the endpoint "
            "without a bucket, such as `https://s3.eu-central-1.amazonaws.com`. Naming a host here "
            "opens it, a private one too, for this purpose alone."
        ),
    ] = ""
    allow_plain_http: Annotated[
        bool,
        Meta(description="Of azure_blob and s3: take `http://` to other machines than this one."),
    ] = False
    account_key: Annotated[
        str,
        Meta(description="Of azure_blob: the storage account's key, best as `env:NAME`."),
    ] = ""
    sas_token: Annotated[
        str,
        Meta(
            description="Of azure_blob, instead of the key: a shared access signature that may "
            "create, add and write, best as `env:NAME`."
        ),
    ] = ""
    bucket: Annotated[str, Meta(description="Of s3: the bucket, which must be there.")] = ""
    region: Annotated[str, Meta(description="Of s3: the region that requests are signed for.")] = (
        "us-east-1"
    )
    access_key_id: Annotated[
        str, Meta(description="Of s3: whose requests they are, best as `env:NAME`.")
    ] = ""
    secret_access_key: Annotated[
        str, Meta(description="Of s3: what they are signed with, best as `env:NAME`.")
    ] = ""

    def __repr__(self) -> str:
        """Hide what opens the store."""
        return f"SinkSettings(kind={self.kind!r}, path={self.path!r}, address={self.address!r})"
