"""Logs and metrics: what a running server tells about itself.

It may say which request, deployment and key name; never a key, a token or what was asked and
answered.
"""

from __future__ import annotations
