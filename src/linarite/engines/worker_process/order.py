"""What an engine's process reads on its standard input: one line, its order."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from linarite.engines.worker_process.options import WorkerOptions

WorkerOptionsT = TypeVar("WorkerOptionsT", bound=WorkerOptions)


class Order(msgspec.Struct, Generic[WorkerOptionsT], frozen=True):
    """What to load, and where to listen."""

    model_path: str
    socket_path: str
    parent_pid: int
    threads: int
    options: WorkerOptionsT
