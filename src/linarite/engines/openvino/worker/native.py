"""Objects of the library's, which has no types that a checker could use."""

from __future__ import annotations

from typing import Any

Native = Any
