"""Deploying a template: one step, which writes what is not yet as the template has it."""

from __future__ import annotations
