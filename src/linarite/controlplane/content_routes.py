"""The rows of content logging: the switch, and what was kept; and the report of all that is."""

from __future__ import annotations

from linarite.controlplane.api_versions import OPERATIONS
from linarite.controlplane.paths import ACCOUNT
from linarite.controlplane.resource_type import Action, ResourceType, reading
from linarite.controlplane.resources.content_logging import rules
from linarite.controlplane.resources.content_records import reads
from linarite.controlplane.resources.data_reports import reads as data_reports
from linarite.domain.content_log import CONTENT_LOGGING_TYPE, CONTENT_RECORD_TYPE, READS_CONTENT
from linarite.domain.held_data import DATA_REPORT_TYPE

RECORDS = f"{ACCOUNT}/providers/{CONTENT_RECORD_TYPE}"

CONTENT_TYPES: tuple[ResourceType, ...] = (
    ResourceType(
        type=CONTENT_LOGGING_TYPE,
        template=f"{ACCOUNT}/providers/{CONTENT_LOGGING_TYPE}/{{logging}}",
        versions=OPERATIONS,
        name_pattern=rules.NAME,
        sent_properties=rules.SentLogging,
        read_only=frozenset(("provisioningState",)),
        gather=rules.gather,
        complete=rules.complete,
        admit=rules.admit,
    ),
)
CONTENT_ACTIONS: tuple[Action, ...] = (
    reading(RECORDS, OPERATIONS, CONTENT_RECORD_TYPE, reads.list_records),
    Action(
        method="POST",
        template=f"{RECORDS}/{{record}}/read",
        versions=OPERATIONS,
        type=CONTENT_RECORD_TYPE,
        permission=READS_CONTENT,
        act=reads.read,
        is_data=True,
    ),
    reading(
        f"{ACCOUNT}/providers/{DATA_REPORT_TYPE}", OPERATIONS, DATA_REPORT_TYPE, data_reports.report
    ),
)
