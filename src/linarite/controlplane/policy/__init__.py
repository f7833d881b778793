"""Policies on the control plane: the language of rules, facts, and the guard of writes."""

from __future__ import annotations
