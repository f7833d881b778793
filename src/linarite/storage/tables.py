"""The tables as they are now; how they came to be is in `migrations/`.

Portable to PostgreSQL: no type, default or index here is SQLite's alone.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

STATE = MetaData()
"""`linarite.db`"""

REQUESTS = MetaData()
"""`requests.db`"""

AUDIT = MetaData()
"""`audit.db`"""

METRICS = MetaData()
"""`metrics.db`"""

OBJECTS = MetaData()
"""`objects.db`"""

CONTENT = MetaData()
"""`content.db`"""

# Ids are compared and ordered byte by byte, whatever the database's language setting.
_ID_KEY = Text().with_variant(Text(collation="C"), "postgresql")

resources = Table(
    "resources",
    STATE,
    Column("id_key", _ID_KEY, primary_key=True),
    Column("type_key", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("resources_by_type", "type_key", "id_key"),
)
"""`id_key` and `type_key` are lower-cased; `body` is the whole Resource as JSON"""

jobs = Table(
    "jobs",
    STATE,
    Column("id", Text, primary_key=True),
    Column("resource_key", _ID_KEY, nullable=False),
    Column("scope_key", _ID_KEY, nullable=False),
    Column("running", Boolean, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("ended_at", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("jobs_by_resource", "resource_key", "started_at"),
    Index("jobs_by_state", "running", "ended_at"),
)
"""`resource_key` and `scope_key` are lower-cased; `ended_at` is "" while it runs"""

sealing_keys = Table(
    "sealing_keys",
    STATE,
    Column("account_key", _ID_KEY, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
"""each account's own key, wrapped by the master key"""

account_keys = Table(
    "account_keys",
    STATE,
    Column("account_key", _ID_KEY, ForeignKey("sealing_keys.account_key"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
"""`key1` and `key2`, sealed under the account's own key"""

application_keys = Table(
    "application_keys",
    STATE,
    Column("key_id", Text, primary_key=True),
    Column("account_key", _ID_KEY, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("last_used_s", BigInteger, nullable=False),
    Index("application_keys_by_account", "account_key"),
)
"""digests only: whoever reads the table has no key; `last_used_s` is 0 until it is used"""

master_key_check = Table(
    "master_key_check",
    STATE,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
)
"""one row: tells a wrong master key from a damaged database"""

activity_events = Table(
    "activity_events",
    STATE,
    Column(
        "seq",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("subscription_key", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("resource_key", _ID_KEY, nullable=False),
    Column("correlation_key", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("activity_events_by_time", "at"),
    Index("activity_events_by_correlation", "correlation_key"),
    sqlite_autoincrement=True,
)
"""keys are lower-cased; `seq` is never given twice: pages go on where the last one ended"""

network_entries = Table(
    "network_entries",
    STATE,
    Column("key", Text, primary_key=True),
    Column("account_key", _ID_KEY, nullable=False),
    Column("perimeter_key", _ID_KEY, nullable=False),
    Column("category", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("network_entries_by_place", "place"),
    Index("network_entries_by_account", "account_key", "place"),
)
"""alike refusals of a day are one row; `place` orders by the time last seen"""

webhook_letters = Table(
    "webhook_letters",
    STATE,
    Column("id", Text, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("account_key", _ID_KEY, nullable=False),
    Column("state", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("due_at", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("webhook_letters_by_due", "state", "due_at"),
    Index("webhook_letters_by_time", "made_at"),
)
"""what is delivered to webhooks; `due_at` is when it ended once it has"""

lasting_counts = Table(
    "lasting_counts",
    STATE,
    Column("key", Text, primary_key=True),
    Column("period", Integer, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("over_at", BigInteger, nullable=False),
    Index("lasting_counts_by_end", "over_at"),
)
"""what was charged to buckets of days and months; `over_at`, in seconds since the epoch, is when
nobody asks for the row any more"""

diagnostic_cursors = Table(
    "diagnostic_cursors",
    STATE,
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
"""how far diagnostic settings have come with their sinks"""

alert_states = Table(
    "alert_states",
    STATE,
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
"""alerts that have fired, until they are resolved"""

request_records = Table(
    "request_records",
    REQUESTS,
    Column(
        "seq",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("request_id", Text, nullable=False),
    Column("started_at_ns", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("deployment", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("api_version", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("caller_key", Text, nullable=False),
    Column("client_request_id", Text, nullable=False),
    Column("client_address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("to_first_token_us", BigInteger, nullable=False),
    Column("to_last_token_us", BigInteger, nullable=False),
    Column("total_us", BigInteger, nullable=False),
    Column("finish", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("app_id", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("token_id", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("refused_by", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("network_rule", Text, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("service_tier_asked", Text, nullable=False),
    Column("service_tier", Text, nullable=False),
    Column("spilled_from", Text, nullable=False),
    Column("end_user", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("audio_prompt_tokens", BigInteger, nullable=False),
    Column("audio_completion_tokens", BigInteger, nullable=False),
    Column("limited_by", Text, nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    Index("request_records_by_request_id", "request_id", unique=True),
    Index("request_records_by_account", "account", "seq"),
)
"""the fields of `RequestRecord` in their order, after `seq`: the order of arrival"""

USAGE_SUBJECT: tuple[str, ...] = (
    "account_id",
    "account",
    "deployment",
    "model",
    "model_version",
    "sku",
    "region",
    "operation",
    "service_tier",
    "caller_key",
    "object_id",
    "app_id",
    "end_user",
    "project",
    "tags",
)
"""what requests are summed by: whose they were, and what served them"""

usage_subjects = Table(
    "usage_subjects",
    REQUESTS,
    Column("id", Integer, primary_key=True),
    *(Column(name, Text, nullable=False) for name in USAGE_SUBJECT),
    Index("usage_subjects_alike", *USAGE_SUBJECT, unique=True),
)

USAGE_COUNTS: tuple[str, ...] = (
    "requests",
    "refused",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "audio_prompt_tokens",
    "audio_completion_tokens",
    "cost_nano",
    "provisioned_unit_hours",
)

usage_days = Table(
    "usage_days",
    REQUESTS,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("subject_id", Integer, primary_key=True, autoincrement=False),
    *(Column(name, BigInteger, nullable=False) for name in USAGE_COUNTS),
)
"""sums of a day in UTC, in days since 1970; a trigger on `request_records` adds each row to them"""

provisioned_hours = Table(
    "provisioned_hours",
    REQUESTS,
    Column("deployment_key", Text, primary_key=True),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("units", BigInteger, nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
)
"""what is in `usage_days` of each hour already; `hour` in hours since 1970, UTC"""

audit_entries = Table(
    "audit_entries",
    AUDIT,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("principal_key", Text, nullable=False),
    Column("resource_key", _ID_KEY, nullable=False),
    Column("request_key", Text, nullable=False),
    Column("correlation_key", Text, nullable=False),
    Index("audit_entries_by_time", "at"),
    Index("audit_entries_by_request", "request_key"),
)
"""what follows `body` repeats what it says, to be found by; keys are lower-cased"""

audit_checkpoints = Table(
    "audit_checkpoints",
    AUDIT,
    Column(
        "id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Index("audit_checkpoints_by_seq", "seq"),
)
"""signed statements, in the order in which they were made"""

audit_log = Table(
    "audit_log",
    AUDIT,
    Column("id", Integer, primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
)
"""one row: whose log it is"""

metric_series = Table(
    "metric_series",
    METRICS,
    Column(
        "id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    Column("account_key", _ID_KEY, nullable=False),
    Column("body", Text, nullable=False, unique=True),
)
"""combinations of dimensions; `body` is a `Series`"""

metric_grains = Table(
    "metric_grains",
    METRICS,
    Column("span_s", Integer, primary_key=True),
    Column("account_key", _ID_KEY, primary_key=True),
    Column("at_s", BigInteger, primary_key=True),
    Column("series_id", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
    Index("metric_grains_by_time", "span_s", "at_s"),
    sqlite_with_rowid=False,
)
"""a series in a minute, or an hour; `body` is a `Tally`"""

stored_objects = Table(
    "stored_objects",
    OBJECTS,
    Column("account_key", _ID_KEY, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", _ID_KEY, primary_key=True),
    Column("label", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("blob", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("stored_objects_by_label", "account_key", "kind", "label", "id"),
    Index("stored_objects_by_expiry", "expires_at"),
)
"""`account_key` is lower-cased; `body` is the whole StoredObject as JSON"""

content_records = Table(
    "content_records",
    CONTENT,
    Column("account_key", _ID_KEY, primary_key=True),
    Column("request_id", _ID_KEY, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("deployment", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sealed", Text, nullable=False),
    Index("content_records_by_age", "at"),
)
"""`account_key` is lower-cased; `size` is that of `sealed`, in bytes"""
