"""How much memory there is for models, and how much a model is taken to need."""

from __future__ import annotations

import os
from pathlib import Path

MIB = 1024 * 1024
ENGINE_BYTES = 192 * MIB
"""an engine process without a model"""
SLOT_BYTES = 96 * MIB
SLOT_SHARE = 0.03
"""one place's conversation of 4,096 tokens takes SLOT_BYTES and this share of the weights: by the
layers and heads of SmolLM2-135M, Qwen2.5-1.5B and Qwen2.5-7B it is 94, 117 and 235 MiB"""
_CGROUP_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def needed_bytes(weights_bytes: int, slots: int) -> int:
    """What an instance is taken to need; nothing when it has no weights of its own."""
    if not weights_bytes:
        return 0
    return ENGINE_BYTES + weights_bytes + slots * int(SLOT_BYTES + weights_bytes * SLOT_SHARE)


def machine_bytes() -> int:
    """The memory of this machine, or what the container around us leaves of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in _CGROUP_LIMITS:
        try:
            text = Path(limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal():
            total = min(total, int(text))
    return total


def shown(size_bytes: int) -> str:
    """A size for people."""
    if size_bytes >= 1024 * MIB:
        return f"{size_bytes / (1024 * MIB):.1f} GiB"
    return f"{size_bytes / MIB:.0f} MiB"
