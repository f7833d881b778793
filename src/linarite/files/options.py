"""What settings say about the files that applications store."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class WebhookEndpoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Webhooks that applications name themselves."""

    account_max: Annotated[int, Meta(description="Webhook endpoints of an account.", ge=0)] = 100
    private_hosts: Annotated[
        list[str],
        Meta(
            description="Hosts that may be named although they have private addresses, with or "
            "without TLS: whoever may make endpoints has the server post to them. Others go under "
            "egress.webhook_endpoint.allowed_hosts."
        ),
    ] = []


class StoredCompletions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on chat completions that are stored (`store: true`)."""

    bytes_max: Annotated[
        int,
        Meta(
            description="Bytes of stored completions that an account may have, about; Azure's are "
            "10 GB. 0: none are stored, and `store: true` is refused.",
            ge=0,
        ),
    ] = 10_000_000_000
    days: Annotated[int, Meta(description="Days after which they are deleted; 0: never.", ge=0)] = 0


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on stored files. Defaults are Azure's ("Azure OpenAI quotas and limits")."""

    file_bytes_max: Annotated[
        int, Meta(description="Largest file in bytes; beyond it 413.", ge=1)
    ] = 512 * 1024 * 1024
    batch_bytes_max: Annotated[
        int, Meta(description="Largest file for a batch in bytes; beyond it 413.", ge=1)
    ] = 200 * 1024 * 1024
    total_bytes_max: Annotated[
        int,
        Meta(
            description="Bytes of all files of an account, and parts of uploads; beyond them 400 "
            "`quotaExceeded`. 0: bounded by `storage.account_bytes_max` alone.",
            ge=0,
        ),
    ] = 200_000_000_000
    lasting_max: Annotated[
        int, Meta(description="Files for batches that an account may have without expiry.", ge=1)
    ] = 500
    expiring_max: Annotated[
        int, Meta(description="Files for batches that an account may have with expiry.", ge=1)
    ] = 10_000
    others_max: Annotated[
        int,
        Meta(description="Files of each other purpose that an account may have.", ge=1),
    ] = 100_000
    upload_bytes_max: Annotated[
        int, Meta(description="Largest file that comes in parts, in bytes; beyond it 413.", ge=1)
    ] = 8 * 1024 * 1024 * 1024
    upload_part_bytes_max: Annotated[
        int, Meta(description="Largest part of an upload in bytes; beyond it 413.", ge=1)
    ] = 64 * 1024 * 1024
    upload_lives_s: Annotated[
        int, Meta(description="Seconds after which an unfinished upload expires.", ge=1)
    ] = 3600
    uploads_max: Annotated[
        int, Meta(description="Unfinished uploads that an account may have at a time.", ge=1)
    ] = 100
    imports_max: Annotated[
        int, Meta(description="Files by URL that an account may have on their way.", ge=1)
    ] = 20
    import_s: Annotated[
        float, Meta(description="Seconds in which a file by URL must have come.", gt=0)
    ] = 600.0
    import_private_hosts: Annotated[
        list[str],
        Meta(
            description="Hosts that files by URL may come from and that may have private "
            "addresses: whoever may import files reads what they serve. Others go under "
            "egress.file_import.allowed_hosts."
        ),
    ] = []
    sealed: Annotated[
        Literal["asked", "always"],
        Meta(
            description="What is stored is sealed under the key of its account: of accounts that "
            "ask for it (`properties.encryption`), or of all. What was stored before stays as it "
            "is."
        ),
    ] = "asked"
    visible_to: Annotated[
        Literal["account", "creator"],
        Meta(
            description="Who sees a stored object: everybody whom the account lets in, as on "
            "Azure, or whoever made it alone. The account's two keys count as one."
        ),
    ] = "account"
