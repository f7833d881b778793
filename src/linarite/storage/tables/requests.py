"""Tables of `requests.db`: requests, and sums of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text

from linarite.storage.tables.column_types import ROW_NUMBER

REQUESTS = MetaData()

request_records = Table(
    "request_records",
    REQUESTS,
    Column("seq", ROW_NUMBER, primary_key=True, autoincrement=True),
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
