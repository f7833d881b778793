"""Adapters that keep everything in the process: for tests, and for servers that may forget."""

from __future__ import annotations
