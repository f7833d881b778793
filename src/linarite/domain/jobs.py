"""Durable work: what a job is, and the port that keeps jobs.

A job is committed together with the change that asks for it (`ResourceStore.commit`), is carried
out by the worker, and ends together with the change that it makes. A long-running operation of
Azure Resource Manager is a job seen from outside: its id is the operation's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import uuid4

import msgspec

from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from collections.abc import Mapping

JobStatus = Literal["InProgress", "Succeeded", "Failed", "Canceled"]
"""the words that Azure's operation results use"""

PROVISION_DEPLOYMENT = "provision-deployment"
"""kind: bring a model up for a deployment (`resource_id`), or change how it is served"""

DEPLOY_TEMPLATE = "deploy-template"
"""kind: write what a template declares (`resource_id` is the deployment of the template)"""

IMPORT_MODEL = "import-model"
"""kind: bring the file of a listed model (`resource_id`) into the store"""

REMOVE_MODEL = "remove-model"
"""kind: take the file of a model that is listed no more out of the store"""

CALIBRATE_DEPLOYMENT = "calibrate-deployment"
"""kind: load the instance of a deployment (`resource_id`) to see what it does"""
CALIBRATION_SECONDS = "seconds"
"""argument of that: about how long"""

RUN_BATCH = "run-batch"
"""kind: answer the requests of a batch; `arguments` say which"""

INGEST_FILES = "ingest-files"
"""kind: take the files of a vector store in; `arguments` say which"""

WAITING_KINDS = frozenset({DEPLOY_TEMPLATE, RUN_BATCH, INGEST_FILES})
"""kinds that mostly wait, for other jobs or for a model, and so take no turn from others"""


class JobProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a job failed, as Azure Resource Manager shows an error."""

    code: str
    message: str
    details: list[dict[str, Any]] = []


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """One piece of durable work, as it stands."""

    id: str
    """a GUID"""
    kind: str
    """which code carries it out: a folder of `linarite.jobs.kinds`"""
    resource_id: str
    """what it works on"""
    started_at: str
    """ISO 8601, UTC"""
    correlation_id: str = ""
    """of the request that asked for it, as the activity log has it; "" when nobody asked"""
    scope: str = ""
    """the id of the resource under which it must run alone (the account); "" excludes nobody"""
    arguments: dict[str, Any] = {}
    status: JobStatus = "InProgress"
    percent_complete: float = 0.0
    """between 0 and 100"""
    doing: str = ""
    """what it does now, for people"""
    ended_at: str | None = None
    error: JobProblem | None = None
    """set when it failed"""
    found: dict[str, Any] = {}
    """step → what it found: a step that stands here is not done again after a restart"""
    interruptions: int = 0
    """how many times a server died since the job has last got on, the present one counted in"""

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self.status == "InProgress"

    def succeeded(self) -> Job:
        """The job as it ends well."""
        return msgspec.structs.replace(
            self, status="Succeeded", percent_complete=100.0, doing="", ended_at=now()
        )

    def failed(self, problem: JobProblem) -> Job:
        """The job as it ends with a problem."""
        return msgspec.structs.replace(
            self, status="Failed", doing="", error=problem, ended_at=now()
        )


def new_job(
    kind: str, resource_id: str, *, scope: str = "", arguments: Mapping[str, Any] | None = None
) -> Job:
    """A job that has not begun, to be handed to `ResourceStore.commit`."""
    return Job(
        id=str(uuid4()),
        kind=kind,
        resource_id=resource_id,
        scope=scope,
        arguments=dict(arguments or {}),
        started_at=now(),
    )


def now() -> str:
    """This moment, as jobs and system data write it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class OperationInProgress(LinariteError):
    """Another job runs where this one must run alone; Azure's code and words."""

    status = 409
    code = "RequestConflict"

    def __init__(self, scope: str) -> None:
        """Name the resource under which it runs."""
        super().__init__(
            f"Another operation is being performed on the parent resource '{scope}'. Please try "
            "again later."
        )


class JobEnded(LinariteError):
    """A job that has ended stays as it ended."""

    status = 409
    code = "JobEnded"


class JobStore(Protocol):
    """Keeps jobs by id. Every write is on disk when the call returns.

    New jobs come in through `ResourceStore.commit`, and end through it where they change
    resources.
    """

    async def get(self, job_id: str) -> Job | None:
        """The job, or None."""
        ...

    async def of(self, resource_id: str, *, limit: int = 20) -> list[Job]:
        """The jobs of one resource, the newest first."""
        ...

    async def running(self, resource_id: str) -> list[Job]:
        """Those that have not ended, on a resource or anything under it ("" for all)."""
        ...

    async def advance(self, job: Job) -> None:
        """Keep how far a job is. Raises JobEnded when it has ended."""
        ...

    async def forget(self, ended_before: str) -> int:
        """Remove jobs that ended before a time (ISO 8601, UTC); how many there were."""
        ...
