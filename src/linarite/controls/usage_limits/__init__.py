"""Usage limits: which of them a call meets, and whom each counts it for.

A pure control over facts: what is counted, and who is refused, is the quota control's to say.
"""

from __future__ import annotations

from linarite.controls.usage_limits.matching import AccountLimits, LimitDesk, Served
from linarite.controls.usage_limits.subjects import SubjectBook
from linarite.controls.usage_limits.thresholds import Crossing, ThresholdWatch

__all__ = [
    "AccountLimits",
    "Crossing",
    "LimitDesk",
    "Served",
    "SubjectBook",
    "ThresholdWatch",
]
