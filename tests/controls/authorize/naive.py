"""The evaluator once more, as plainly as it can be said, to compare with."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

Assignment = dict[str, Any]
"""principal, role (a list of permissions), scope"""


def allowed(
    assignments: list[Assignment],
    denials: list[Assignment],
    identities: set[str],
    asked: tuple[str, str, bool],
) -> bool:
    """Whether an action may be done at a scope."""
    action, scope, is_data = asked
    granted = any(
        each["principal"] in identities
        and is_in(each["scope"], scope)
        and any(covers(permission, action, is_data) for permission in each["role"])
        for each in assignments
    )
    denied = any(
        (each["principal"] in identities or each["principal"] == "everyone")
        and not identities & set(each["excluded"])
        and (
            each["scope"].lower() == scope.lower()
            if each["here_only"]
            else is_in(each["scope"], scope)
        )
        and any(covers(permission, action, is_data) for permission in each["role"])
        for each in denials
    )
    return granted and not denied


def covers(permission: dict[str, list[str]], action: str, is_data: bool) -> bool:
    """Whether a permission has the action and does not take it out again."""
    plus, minus = ("dataActions", "notDataActions") if is_data else ("actions", "notActions")
    return matches(permission[plus], action) and not matches(permission[minus], action)


def matches(patterns: list[str], action: str) -> bool:
    """Shell patterns do the same where no `?` or `[` occurs."""
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def is_in(outer: str, inner: str) -> bool:
    """Segment by segment."""
    above = [part for part in outer.lower().split("/") if part]
    below = [part for part in inner.lower().split("/") if part]
    if above[:2] == ["providers", "microsoft.management"] and below[:1] == ["subscriptions"]:
        return True
    return below[: len(above)] == above
