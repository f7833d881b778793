"""Provisions a deployment again and again, each time dying at another write to the database.

For each write there are two deaths, just before it and just after it. Each is a process of its
own that kills itself; another one then goes on with what it left, and a line of JSON tells how
that ended. Forked, so that nothing is imported twice.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.setting_tree import Settings
from linarite.storage.database import open_database
from linarite.storage.sqlite.jobs import SqliteJobStore
from linarite.storage.sqlite.resources import SqliteResourceStore
from tests.jobs.kinds.provisioning.site import site

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change, Resource
    from linarite.storage.database import Database

SETTINGS = {"hosting": {"engine": "simulator", "options": {"load_s": 0.05}}}


class Fate:
    """Counts writes and dies at one of them."""

    def __init__(self, dies_at: int, *, before: bool) -> None:
        self.dies_at = dies_at
        self.before = before
        self.writes = 0

    async def meet(self, write: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - any write
        """Do a write, unless death comes first."""
        self.writes += 1
        if self.writes == self.dies_at and self.before:
            os.kill(os.getpid(), signal.SIGKILL)
        done = await write()
        if self.writes == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


class MortalJobs(SqliteJobStore):
    """Meets its fate at each step."""

    def __init__(self, database: Database, fate: Fate) -> None:
        super().__init__(database)
        self.fate = fate

    async def advance(self, job: Job) -> None:
        """Keep how far a job is."""
        keep = super().advance
        await self.fate.meet(lambda: keep(job))


class MortalResources(SqliteResourceStore):
    """Meets its fate at each transaction but the first, which the control plane makes."""

    def __init__(self, database: Database, fate: Fate) -> None:
        super().__init__(database)
        self.fate = fate
        self.asked = False

    async def commit(
        self, changes: Sequence[Change], jobs: Sequence[Job] = ()
    ) -> list[Resource | None]:
        """Make all changes."""
        keep = super().commit
        if not self.asked:
            self.asked = True
            return await keep(changes, jobs)
        return await self.fate.meet(lambda: keep(changes, jobs))


async def provision(folder: Path, fate: Fate, *, asks: bool) -> None:
    """Provision a deployment, or go on with an earlier process's, and tell how it ended."""
    database = open_database(folder)
    jobs, resources = MortalJobs(database, fate), MortalResources(database, fate)
    resources.asked = not asks
    settings = msgspec.convert(SETTINGS, Settings)
    async with site(folder, resources, jobs, settings) as running:
        if asks:
            await running.deploy()
        await running.worker.idle()
        (job,) = await jobs.of(f"{running.account}/deployments/chat")
        say(
            died_at=fate.dies_at,
            status=job.status,
            state=await running.state(),
            serves=running.instance_of(),
            interruptions=job.interruptions,
        )
    await database.close()


def in_a_process(folder: Path, fate: Fate, *, asks: bool) -> bool:
    """Fork, provision, and return whether it was killed."""
    process = os.fork()
    if process == 0:
        asyncio.run(provision(folder, fate, asks=asks))
        os._exit(0)
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status)


def say(**told: object) -> None:
    """One line, at once."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    """Die at write 1, 2, 3 … until there are no more; then several times in one job."""
    structlog.configure(processors=[drop])
    for before in (True, False):
        for dies_at in itertools.count(1):
            home = folder / f"{before}-{dies_at}"
            if not in_a_process(home, Fate(dies_at, before=before), asks=True):
                break
            in_a_process(home, Fate(0, before=False), asks=False)
            say(died=True, before=before, at=dies_at)
    for life in range(20):
        # In each life before anything was kept: a job that seems to kill its server.
        if not in_a_process(folder / "always", Fate(2, before=True), asks=life == 0):
            break


def drop(*_: object) -> dict[str, Any]:
    """No log lines."""
    raise structlog.DropEvent


main(Path(sys.argv[1]))
