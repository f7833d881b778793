"""Durable work: the worker, and one folder for each kind of job in `kinds/`."""

from __future__ import annotations
