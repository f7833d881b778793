"""Tables of `linarite.db`: resources, keys, jobs, what is to be delivered."""

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

from linarite.storage.tables.column_types import ID_KEY, ROW_NUMBER

STATE = MetaData()

resources = Table(
    "resources",
    STATE,
    Column("id_key", ID_KEY, primary_key=True),
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
    Column("resource_key", ID_KEY, nullable=False),
    Column("scope_key", ID_KEY, nullable=False),
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
    Column("account_key", ID_KEY, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
"""each account's own key, wrapped by the master key"""

account_keys = Table(
    "account_keys",
    STATE,
    Column("account_key", ID_KEY, ForeignKey("sealing_keys.account_key"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
"""`key1` and `key2`, sealed under the account's own key"""

application_keys = Table(
    "application_keys",
    STATE,
    Column("key_id", Text, primary_key=True),
    Column("account_key", ID_KEY, nullable=False),
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
    Column("seq", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("subscription_key", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("resource_key", ID_KEY, nullable=False),
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
    Column("account_key", ID_KEY, nullable=False),
    Column("perimeter_key", ID_KEY, nullable=False),
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
    Column("account_key", ID_KEY, nullable=False),
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
