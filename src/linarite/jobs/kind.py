"""What a kind of job consists of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.domain.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.jobs import JobProblem
    from linarite.domain.resource import Change

Progress = Callable[[float, str], None]
"""share of the step that is done, between 0 and 1, and what is going on"""


class Step(msgspec.Struct, frozen=True):
    """One step of a job. It must bear being begun again: the server may die in the middle."""

    name: str
    until: float
    """the job's percentage once this step is done"""
    run: Callable[[Job, Progress], Awaitable[dict[str, Any]]]
    """does it; what it returns is kept in `Job.found` under the step's name"""
    again: bool = False
    """do it again after a restart although it was done: its effect lives in the process"""


class Kind(Protocol):
    """A kind of job. What its steps raise as LinariteError is the job's problem."""

    @property
    def steps(self) -> Sequence[Step]:
        """What is done, in this order."""
        ...

    async def succeed(self, job: Job) -> list[Change]:
        """The changes that are committed with the job's good end.

        Called again when one of them raises EtagMismatch.
        """
        ...

    async def fail(self, job: Job, problem: JobProblem) -> list[Change]:
        """The changes that are committed with the job's failure; called again as `succeed` is."""
        ...

    async def after(self, job: Job) -> None:
        """What is to be tidied up once it has ended either way. Not repeated after a restart."""
        ...
