"""How older api-versions write a content policy; inside, it is as the newest have it.

Source: the provider's specifications. Until 2024-10-01, filters had `allowedContentLevel` and the
blocklists of prompts and completions stood apart; until 2025-06-01, `Asynchronous_filter` was
called `Deferred`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.problems import shape_problems
from linarite.domain.arm_errors import refusal

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing
    from linarite.domain.resource import Resource

THRESHOLDS_SINCE = "2024-10-01"
ASYNCHRONOUS_SINCE = "2025-06-01"
LISTS = {"promptBlocklists": "Prompt", "completionBlocklists": "Completion"}
"""older property → `source` in `customBlocklists`"""


class OlderBlocklist(msgspec.Struct, rename="camel"):
    """A blocklist that a policy uses."""

    blocklist_name: str | None = None
    blocking: bool | None = None


class OlderPolicy(msgspec.Struct, rename="camel"):
    """What older versions may set otherwise than the newest."""

    content_filters: list[dict[str, Any]] | None = None
    prompt_blocklists: list[OlderBlocklist] | None = None
    completion_blocklists: list[OlderBlocklist] | None = None


def read(properties: dict[str, Any], api_version: str) -> dict[str, Any]:
    """What was sent in a version's words, in today's. Raises ArmError for another shape."""
    if api_version[:10] >= THRESHOLDS_SINCE:
        return properties
    if problems := shape_problems(properties, OlderPolicy):
        raise refusal(problems)
    newer = {key: value for key, value in properties.items() if key not in LISTS}
    if filters := properties.get("contentFilters"):
        newer["contentFilters"] = _renamed(filters, "allowedContentLevel", "severityThreshold")
    lists = {older: properties[older] for older in LISTS if properties.get(older) is not None}
    if lists:
        newer["customBlocklists"] = [
            each | {"source": LISTS[older]} for older, listed in lists.items() for each in listed
        ]
    return newer


def show(policy: Resource, showing: Showing) -> dict[str, Any]:
    """The policy in the words of the version that is asked for."""
    version = showing.api_version[:10]
    shown = dict(policy.properties)
    if version < ASYNCHRONOUS_SINCE and shown.get("mode") == "Asynchronous_filter":
        shown["mode"] = "Deferred"
    if version >= THRESHOLDS_SINCE:
        return shown
    filters: list[dict[str, Any]] = shown.get("contentFilters") or []
    shown["contentFilters"] = _renamed(filters, "severityThreshold", "allowedContentLevel")
    lists: list[dict[str, Any]] = shown.pop("customBlocklists", None) or []
    for older, source in LISTS.items():
        shown[older] = [
            {key: value for key, value in each.items() if key != "source"}
            for each in lists
            if each.get("source") == source
        ]
    return shown


def _renamed(filters: list[dict[str, Any]], before: str, after: str) -> list[dict[str, Any]]:
    return [
        {after if key == before else key: value for key, value in each.items()} for each in filters
    ]
