"""The expression language: `[concat('a', parameters('b').c[0])]`, from text to a tree."""

from __future__ import annotations
