"""Values of metrics, over time."""

from __future__ import annotations
