"""Azure Resource Manager's API: resources, their verbs, and templates that write many at once."""

from __future__ import annotations
