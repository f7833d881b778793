"""Where a record stands in Azure's layout of exported logs.

Container `insights-logs-<category>`, of metrics `insights-metrics-pt1m`; a file for each resource
and hour, a line for each record.
Source: learn.microsoft.com, "Send resource logs to Azure Storage".
"""

from __future__ import annotations

from linarite.domain.diagnostics import ALL_METRICS

METRICS = "insights-metrics-pt1m"


def container_of(category: str) -> str:
    """The container of a category's records: the first folder of their paths."""
    return METRICS if category == ALL_METRICS else f"insights-logs-{category.lower()}"


def diagnostic_path(category: str, resource_id: str, at: str) -> str:
    """The file of a record, from the container's parent; `at` is ISO 8601, UTC."""
    day, _, rest = at.partition("T")
    year, month, date = day.split("-")
    resource = "/".join(
        "".join(each if each.isalnum() or each in "-._~" else "_" for each in part) or "_"
        for part in resource_id.upper().strip("/").split("/")
        if part not in (".", "..")
    )
    return (
        f"{container_of(category)}/resourceId=/{resource}"
        f"/y={year}/m={month}/d={date}/h={rest[:2]}/m=00/PT1H.json"
    ).replace("resourceId=//", "resourceId=/")
