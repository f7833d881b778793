"""Limits: what may be taken in a time, reserved before the work and settled after it.

Guards deployments by the capacity of their SKU, and whatever further buckets hold for a call, all
of them at once. Raises RateLimitReached (429). Settings: the
section `quota`.

In the mode `exact` the tokens that were really used count, over every minute that one may choose;
in the mode `azure` what a request was estimated at counts, until a fixed minute is over.
Source: learn.microsoft.com, "Manage Azure OpenAI quota" and, for provisioned throughput, "What is
provisioned throughput", whose leaky bucket is copied.
"""

from __future__ import annotations

from linarite.controls.quota.lease import NO_LEASE, Lease
from linarite.controls.quota.lending import LendingLedger
from linarite.controls.quota.limiter import Limiter
from linarite.controls.quota.memory_ledger import MemoryLedger

__all__ = ["NO_LEASE", "Lease", "LendingLedger", "Limiter", "MemoryLedger"]
