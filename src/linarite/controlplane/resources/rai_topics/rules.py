"""Topics of one's own that a content policy may name."""

from __future__ import annotations

import msgspec

TYPE = "Microsoft.CognitiveServices/accounts/raitopics"
NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}"


class SentTopic(msgspec.Struct, rename="camel"):
    """What may be set."""

    topic_id: str | None = None
    topic_name: str | None = None
    description: str | None = None
    sample_blob_url: str | None = None
    status: str | None = None
    failed_reason: str | None = None
    created_at: str | None = None
    last_modified_at: str | None = None
