"""What a request holds from the moment it is admitted until it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from linarite.controls.quota.meters import Mark, Meter
    from linarite.domain.quota import Priced


class Lease:
    """A reservation, around the work. Leaving it, however that is, settles on what was used.

    Who was refused before any work was done is charged no tokens; the request counts all the same.
    Where nobody can tell what was used, the reservation stays charged.
    """

    __slots__ = ("_asked", "_clock", "_learn", "_mark", "_meter", "lines")

    def __init__(
        self,
        asked: Priced,
        charged: tuple[Meter, Mark],
        lines: bytes,
        clock: Callable[[], float],
        learn: Callable[[int], None],
    ) -> None:
        """`learn` is told the completion's tokens of each answer that came to its end."""
        self._asked = asked
        self._meter, self._mark = charged
        self._clock = clock
        self._learn = learn
        self.lines = lines
        """the header lines that tell the client what is left"""

    def __enter__(self) -> None:
        """It has been reserved."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Settle."""
        usage = self._asked.usage
        if usage is not None:
            self._meter.correct(self._mark, usage.total_tokens, self._clock())
            if problem is None:
                self._learn(usage.completion_tokens)
        elif isinstance(problem, LinariteError):
            self._meter.correct(self._mark, 0, self._clock())


class _NoLease(Lease):
    """Of a deployment without limits."""

    __slots__ = ()

    def __init__(self) -> None:
        self.lines = b""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing was reserved."""


NO_LEASE = _NoLease()
