"""Which api-versions each namespace answers, and what is said about the others.

Lists: the published REST specifications of each provider.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from linarite.domain.arm_errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Sequence

COGNITIVE_SERVICES = (
    "2017-04-18",
    "2021-04-30",
    "2021-10-01",
    "2022-03-01",
    "2022-10-01",
    "2022-12-01",
    "2023-05-01",
    "2023-10-01-preview",
    "2024-04-01-preview",
    "2024-06-01-preview",
    "2024-10-01",
    "2025-04-01-preview",
    "2025-06-01",
    "2025-07-01-preview",
    "2025-09-01",
    "2025-10-01-preview",
    "2025-12-01",
    "2026-01-15-preview",
    "2026-03-01",
    "2026-03-15-preview",
    "2026-05-01",
    "2026-05-15-preview",
    "2026-07-01",
    "2026-09-15-preview",
)

RESOURCES = (
    "2016-09-01",
    "2017-05-10",
    "2018-02-01",
    "2018-05-01",
    "2019-03-01",
    "2019-05-01",
    "2019-05-10",
    "2019-07-01",
    "2019-08-01",
    "2019-10-01",
    "2020-06-01",
    "2020-08-01",
    "2020-10-01",
    "2021-01-01",
    "2021-04-01",
    "2022-09-01",
    "2023-07-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-03-01",
    "2025-04-01",
    "2026-06-01",
)
"""resource groups, resources, providers, tags, deployments"""


SUBSCRIPTIONS = (
    "2016-06-01",
    "2018-06-01",
    "2019-06-01",
    "2019-11-01",
    "2020-01-01",
    "2021-01-01",
    "2021-10-01",
    "2022-12-01",
)
"""subscriptions, tenants, locations"""

INSIGHTS = ("2014-04-01", "2015-04-01", "2017-03-01-preview")
"""the activity log"""

METRICS = (
    "2017-05-01-preview",
    "2018-01-01",
    "2019-07-01",
    "2021-05-01",
    "2023-05-01-preview",
    "2023-10-01",
    "2024-02-01",
)
"""metrics, their definitions, and questions about several resources at once"""

COST_MANAGEMENT = (
    "2018-05-31",
    "2018-08-01-preview",
    "2018-08-31",
    "2019-01-01",
    "2019-10-01",
    "2019-11-01",
    "2020-06-01",
    "2021-10-01",
    "2022-10-01",
    "2023-03-01",
    "2023-08-01",
    "2023-09-01",
    "2023-11-01",
    "2024-08-01",
    "2025-03-01",
)
"""queries of usage and cost"""

CONSUMPTION = (
    "2017-12-30-preview",
    "2018-01-31",
    "2018-03-31",
    "2018-06-30",
    "2018-08-31",
    "2018-10-01",
    "2019-01-01",
    "2019-04-01-preview",
    "2019-05-01",
    "2019-05-01-preview",
    "2019-06-01",
    "2019-10-01",
    "2019-11-01",
    "2021-05-01",
    "2021-10-01",
    "2022-09-01",
    "2023-03-01",
    "2023-05-01",
    "2023-11-01",
    "2024-08-01",
)
"""budgets"""

METRIC_NAMESPACES = ("2017-12-01-preview", "2023-10-01", "2024-02-01")

AUTHORIZATION = (
    "2015-06-01",
    "2015-07-01",
    "2016-09-01",
    "2017-04-01",
    "2018-01-01-preview",
    "2018-07-01-preview",
    "2018-09-01-preview",
    "2020-03-01-preview",
    "2020-04-01-preview",
    "2020-05-01",
    "2020-08-01-preview",
    "2020-10-01",
    "2020-10-01-preview",
    "2021-04-01-preview",
    "2022-04-01",
    "2022-05-01-preview",
    "2024-07-01-preview",
    "2025-12-01-preview",
)
"""role definitions and assignments, deny assignments, locks, permissions"""

POLICY = (
    "2015-10-01-preview",
    "2015-11-01",
    "2016-04-01",
    "2016-12-01",
    "2017-06-01-preview",
    "2018-03-01",
    "2018-05-01",
    "2019-01-01",
    "2019-06-01",
    "2019-09-01",
    "2020-03-01",
    "2020-07-01-preview",
    "2020-09-01",
    "2021-06-01",
    "2022-06-01",
    "2022-07-01-preview",
    "2022-08-01-preview",
    "2023-04-01",
    "2024-04-01",
    "2024-05-01",
    "2024-12-01-preview",
    "2025-01-01",
    "2025-03-01",
    "2025-11-01",
    "2026-01-01-preview",
)
"""policy definitions, initiatives, assignments and exemptions"""

POLICY_INSIGHTS = ("2018-04-04", "2018-07-01-preview", "2019-10-01", "2022-04-01", "2024-10-01")
"""policy states"""

MANAGEMENT = (
    "2018-03-01-preview",
    "2019-11-01",
    "2020-02-01",
    "2020-05-01",
    "2020-10-01",
    "2021-04-01",
    "2023-04-01",
)
"""management groups"""

MANAGED_IDENTITY = (
    "2015-08-31-preview",
    "2018-11-30",
    "2021-09-30-preview",
    "2022-01-31-preview",
    "2023-01-31",
    "2023-07-31-preview",
    "2024-11-30",
    "2025-01-31-preview",
    "2025-05-31-preview",
)
"""user-assigned identities"""

NETWORK = (
    "2015-06-15",
    "2016-03-30",
    "2016-06-01",
    "2016-09-01",
    "2016-12-01",
    "2017-03-01",
    "2017-06-01",
    "2017-08-01",
    "2017-09-01",
    "2017-10-01",
    "2017-11-01",
    "2018-01-01",
    "2018-02-01",
    "2018-04-01",
    "2018-06-01",
    "2018-07-01",
    "2018-08-01",
    "2018-10-01",
    "2018-11-01",
    "2018-12-01",
    "2019-02-01",
    "2019-04-01",
    "2019-06-01",
    "2019-07-01",
    "2019-08-01",
    "2019-09-01",
    "2019-11-01",
    "2019-12-01",
    "2020-03-01",
    "2020-04-01",
    "2020-05-01",
    "2020-06-01",
    "2020-07-01",
    "2020-08-01",
    "2020-11-01",
    "2021-02-01",
    "2021-03-01",
    "2021-05-01",
    "2021-08-01",
    "2022-01-01",
    "2022-05-01",
    "2022-07-01",
    "2022-09-01",
    "2022-11-01",
    "2023-02-01",
    "2023-04-01",
    "2023-05-01",
    "2023-06-01",
    "2023-09-01",
    "2023-11-01",
    "2024-01-01",
    "2024-03-01",
    "2024-05-01",
    "2024-07-01",
    "2024-10-01",
    "2025-01-01",
    "2025-03-01",
    "2025-05-01",
    "2025-07-01",
    "2025-09-01",
    "2026-01-01",
    "2026-03-01",
)
"""virtual networks, private endpoints, network interfaces"""

PERIMETERS = (
    "2023-07-01-preview",
    "2023-08-01-preview",
    "2024-06-01-preview",
    "2024-07-01",
    "2024-10-01",
    "2025-01-01",
    "2025-03-01",
    "2025-05-01",
)
"""network security perimeters"""

PRIVATE_DNS = ("2018-09-01", "2020-01-01", "2020-06-01", "2024-06-01")
"""private zones, their records and links"""

DIAGNOSTICS = ("2016-09-01", "2017-05-01-preview", "2021-05-01-preview")
"""diagnostic settings and their categories"""

METRIC_ALERTS = ("2018-03-01", "2024-03-01-preview")

ACTION_GROUPS = (
    "2018-09-01",
    "2019-06-01",
    "2021-09-01",
    "2022-06-01",
    "2023-01-01",
    "2024-10-01-preview",
)

OPERATIONS = ("2026-11-01",)
"""what no provider of Azure has: the audit log, explanations"""

METADATA = (
    "2015-01-01",
    "2018-05-01",
    "2019-05-01",
    "2019-10-01",
    "2020-06-01",
    "2021-10-01",
    "2022-09-01",
    "2023-11-01",
)


def is_newer(version: str, known: Sequence[str]) -> bool:
    """Whether it is a date after all of those, with or without `-preview`."""
    day = version.lower().removesuffix("-preview")
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return len(day) == len("2026-07-01") and day > max(known)[:10]


def require_version(
    version: str, known: Sequence[str], resource_type: str, locations: Sequence[str]
) -> None:
    """Let a version pass that the type knows. Raises what the Resource Manager answers otherwise.

    One that is newer than all of these passes too: clients are renewed before servers are, and
    what they send beyond what is known here is kept.
    A version counts for every type of its namespace: what a resource type did not have yet in an
    old version is answered all the same.
    """
    if not version:
        raise bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version.lower() not in known and not is_newer(version, known):
        kind = resource_type.partition("/")[2]
        raise bad_request(
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location '{locations[0]}' and API version "
            f"'{version[:40]}' for type '{kind}'. The supported api-versions are "
            f"'{', '.join(known)}'. The supported locations are '{', '.join(locations)}'.",
        )
