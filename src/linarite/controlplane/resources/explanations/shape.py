"""An explanation, whichever plane the request came to."""

from __future__ import annotations

import msgspec

PASSED = "passed"
REFUSED = "refused"
NOT_REACHED = "not reached"
NONE_IN_FORCE = "none in force"


class Step(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One control on a request's way, in the order in which they decide."""

    control: str
    outcome: str
    """passed, refused, not reached, none in force"""
    decided_by: str = ""
    """the id of what decided: a key's name, a role assignment, an instance"""
    why: str = ""


class Explanation(msgspec.Struct, frozen=True, rename="camel"):
    """What was asked, what decided, and what would have to change."""

    request_id: str
    plane: str
    """data or control"""
    asked: dict[str, str | int]
    answer: dict[str, str | int]
    steps: list[Step]
    would_have_to_change: list[str]
    """empty when it was answered"""
