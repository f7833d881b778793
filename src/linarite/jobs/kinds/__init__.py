"""The kinds of jobs, one folder each. They never import one another."""

from __future__ import annotations
