"""A tree of what calls what, and what each costs with all that it calls, by sampling.

A profiler that notes every call makes small functions look dear; a look at the stack every
millisecond of processor time costs nothing between the looks, and so tells the truth of each
function with its callees. Code in C counts for who calls it.
"""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, FrameType

EVERY_S = 0.001
SHOWN = 0.01
"""share of the whole below which a branch is left out"""
Stack = tuple["CodeType", ...]


class CostTree:
    """Samples the main thread between `start` and `stop`."""

    def __init__(self) -> None:
        self._stacks: Counter[Stack] = Counter()

    def start(self) -> None:
        """Begin to look."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def stop(self) -> None:
        """Look no more."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _: int, frame: FrameType | None) -> None:
        stack: list[CodeType] = []
        while frame is not None:
            stack.append(frame.f_code)
            frame = frame.f_back
        self._stacks[tuple(reversed(stack))] += 1

    def lines(self, whole_us: float) -> list[str]:
        """The tree, of a whole that costs so much; functions of libraries are in their callers."""
        total = sum(self._stacks.values()) or 1
        inclusive: Counter[tuple[str, ...]] = Counter()
        for stack, count in self._stacks.items():
            names = tuple(_name(code) for code in stack if _is_ours(code))
            for depth in range(1, len(names) + 1):
                inclusive[names[:depth]] += count
        shown = [path for path, count in inclusive.items() if count / total >= SHOWN]
        # Depth first, the dearest first: a path sorts by what its ancestors cost, then itself.
        shown.sort(key=lambda path: [(-inclusive[path[:n]], path[n - 1]) for n in _up_to(path)])
        return [
            f"{inclusive[path] / total * whole_us:7.1f}  {'  ' * len(path)}{path[-1]}"
            for path in shown
        ]


def _up_to(path: tuple[str, ...]) -> range:
    return range(1, len(path) + 1)


def _is_ours(code: CodeType) -> bool:
    return "/linarite/" in code.co_filename


def _name(code: CodeType) -> str:
    return f"{code.co_filename.rpartition('/linarite/')[2]}:{code.co_qualname}"
