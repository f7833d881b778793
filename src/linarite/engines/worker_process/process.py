"""The life of an engine's process, seen from the gateway: started, loaded, watched, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from abc import ABC, abstractmethod
from collections import deque
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar

import msgspec
import structlog

from linarite.domain.errors import EngineFailed, SetupError
from linarite.engines.child_process import ChildProcess, describe_exit, start_child
from linarite.engines.worker_process.order import Order, WorkerOptionsT
from linarite.engines.worker_process.reports import Failed, Loaded, Loading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from linarite.domain.engine import InstanceSpec, Surroundings
    from linarite.domain.errors import LinariteError

Level = Literal["debug", "info", "warning", "error"]
LoadedT = TypeVar("LoadedT", bound=Loaded)

_SOCKET_PATH_BYTES_MAX = 100
"""what the kernels' `sun_path` holds (104 or 108), less a margin"""
_LAST_LINES = 40
_SAID_LAST = 3
"""lines that are told when it dies while it loads"""
_LOOK_S = 0.2
_LOADING_FROM, _LOADING_TO = 0.05, 0.95
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class LogLine(NamedTuple):
    """A line fit for the log."""

    level: Level
    text: str


class Worker(NamedTuple, Generic[LoadedT]):
    """What is started, and how what it says is understood."""

    engine: str
    """its name in settings"""
    title: str
    """its name for people"""
    module: str
    package: str
    loaded: type[LoadedT]
    while_loading: Callable[[str], LogLine | None]
    """judges a line of standard error; None when it is to stay unsaid"""
    while_serving: Callable[[str], LogLine | None]
    load_failure: Callable[[list[str]], str]
    """finds the reason among the lines of a failed start"""


class WorkerProcess(ABC, Generic[WorkerOptionsT, LoadedT]):
    """One process that serves a model on a unix socket. Start it once, then end it once.

    An engine adds its connections into it, and `is_well`.
    """

    def __init__(
        self,
        worker: Worker[LoadedT],
        spec: InstanceSpec,
        options: WorkerOptionsT,
        surroundings: Surroundings,
    ) -> None:
        """Nothing is started yet."""
        self._worker = worker
        self._spec = spec
        self._options = options
        self._threads = options.threads or surroundings.threads
        self._folder = surroundings.scratch
        self.socket_path = self._folder / f"{worker.engine}-{token_hex(6)}.sock"
        self._log = structlog.get_logger("linarite.engine").bind(instance=spec.name)
        self._child: ChildProcess | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._report: Loading | LoadedT | Failed | None = None
        self._ended = asyncio.Event()
        self._news = asyncio.Event()
        """a report has come, or the process has ended"""
        self._exit_code = 0
        self._unfit = ""
        self._ending = False

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return self._child.pid if self._child else None

    @property
    def alive(self) -> bool:
        """It serves, as far as is known."""
        return isinstance(self._report, Loaded) and not self._ended.is_set() and not self._ending

    def _checked_model_path(self) -> Path:
        """The model's file. Raises SetupError where it cannot be run at all."""
        name, engine = self._spec.name, self._worker.engine
        if find_spec(self._worker.package) is None:
            raise SetupError(
                f"instances.{name}.engine is '{engine}', whose library is not installed. "
                f"Run: pip install 'linarite[{engine}]'"
            )
        if self._spec.model_path is None:
            raise SetupError(f"instances.{name}: the {engine} engine needs a model file.")
        if len(os.fsencode(self.socket_path)) > _SOCKET_PATH_BYTES_MAX:
            raise SetupError(
                f"The path {self.socket_path} is too long for a socket. Set TMPDIR to a folder "
                "with a shorter path."
            )
        return Path(self._spec.model_path).absolute()

    async def start(self, progress: Callable[[float, str], None]) -> LoadedT:
        """Start the process, hand it its order, wait until it serves, and watch its health.

        Raises SetupError when it cannot work as configured, EngineFailed when it was ended.
        """
        model_path = self._checked_model_path()
        progress(0.0, "starting the engine process")
        try:
            self._child = await start_child(
                # -P: no folder of the caller's is searched for modules. The instance's name is
                # there for people who list processes; the worker does not read it.
                [sys.executable, "-P", "-m", self._worker.module, self._spec.name],
                environment=self._environment(),
                folder=self._folder,
                on_output=self._take_report,
                on_error_line=self._take_line,
            )
        except OSError as error:
            raise SetupError(f"instances.{self._spec.name}: no process: {error}") from error
        self._tasks.append(asyncio.create_task(self._watch_exit(self._child)))
        order = Order(
            model_path=str(model_path),
            socket_path=str(self.socket_path),
            parent_pid=os.getpid(),
            threads=self._threads,
            options=self._options,
        )
        await self._child.send(msgspec.json.encode(order))
        loaded = await self._until_loaded(self._child, model_path, progress)
        await self.connect()
        self._tasks.append(asyncio.create_task(self._probe()))
        return loaded

    async def connect(self) -> None:
        """It listens: an engine whose connection is opened once opens it here."""

    @abstractmethod
    async def is_well(self) -> bool:
        """Ask it, within the deadline of a probe."""

    def engine_environment(self) -> Mapping[str, str]:
        """Variables that an engine sets itself; options override them."""
        return {}

    def _environment(self) -> dict[str, str]:
        """Nothing is inherited: no proxy, no token, no preloaded library."""
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TMPDIR": str(self._folder),
            "PYTHONUNBUFFERED": "1",
            **self.engine_environment(),
            **self._options.environment,
        }

    async def _until_loaded(
        self, child: ChildProcess, model_path: Path, progress: Callable[[float, str], None]
    ) -> LoadedT:
        size = await asyncio.to_thread(_file_size, model_path)
        furthest = 0.0
        try:
            async with asyncio.timeout(self._options.load_timeout_s):
                while not isinstance(self._report, Loaded):
                    if self._ended.is_set():
                        raise self._load_error(model_path)
                    if isinstance(self._report, Loading):
                        # The kernel may take pages back; progress does not go back.
                        furthest = max(furthest, min(1.0, resident_bytes(child.pid) / size))
                        share = _LOADING_FROM + furthest * (_LOADING_TO - _LOADING_FROM)
                        progress(share, f"loading {self._spec.model}")
                    await self._next_look()
        except TimeoutError:
            raise SetupError(
                f"instances.{self._spec.name}: loading the model took longer than "
                f"{self._options.load_timeout_s:g} s. Raise options.load_timeout_s, or choose a "
                "smaller model."
            ) from None
        progress(_LOADING_TO, "trying the model out")
        return self._report

    async def _next_look(self) -> None:
        """Wait for news, or until it is time to tell how far it is."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await self._news.wait()

    def _load_error(self, model_path: Path) -> LinariteError:
        place, title = f"instances.{self._spec.name}", self._worker.title
        if self._exit_code < 0:
            last = " / ".join(line.strip() for line in list(self._last_lines)[-_SAID_LAST:])
            return EngineFailed(
                f"{place}: the engine process {describe_exit(self._exit_code)} while it loaded "
                f"the model{f', and said last: {last}' if last else ''}. SIGKILL often means that "
                "memory ran out: a smaller model, "
                "options.context_tokens or options.parallel_requests needs less."
            )
        said = self._report.reason if isinstance(self._report, Failed) else ""
        found = self._worker.load_failure(list(self._last_lines))
        reason = found or said or describe_exit(self._exit_code)
        return SetupError(
            f"{place}: {title} cannot load {model_path}: {reason}. Check that the file is a "
            f"whole GGUF file of a kind this version of {title} knows, and the instance's options."
        )

    async def wait_exit(self) -> str:
        """Return why the process serves no more; never after `end` was called."""
        await self._ended.wait()
        if self._ending:
            await asyncio.Event().wait()
        return self._unfit or self._why_it_ended()

    def _why_it_ended(self) -> str:
        reason = f"the engine process {describe_exit(self._exit_code)}"
        for line in reversed(self._last_lines):
            shown = self._worker.while_serving(line)
            if shown is not None and shown.level in {"warning", "error"}:
                return f"{reason}: {shown.text}"
        return reason

    async def end(self) -> None:
        """End the process and free everything. Idempotent."""
        self._ending = True
        for task in self._tasks[1:]:
            task.cancel()
        if self._child is not None:
            await self._child.end()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.socket_path.unlink(missing_ok=True)

    async def _watch_exit(self, child: ChildProcess) -> None:
        self._exit_code = await child.wait()
        self._ended.set()
        self._news.set()
        if isinstance(self._report, Loaded) and not self._ending:
            self._log.warning(
                "engine process ended", pid=child.pid, reason=self._unfit or self._why_it_ended()
            )

    async def _probe(self) -> None:
        """Ask from now on, every few seconds, whether it is well; kill it when it is not."""
        failures = 0
        while failures < self._options.probe_failures_max:
            await asyncio.sleep(self._options.probe_interval_s)
            failures = 0 if await self.is_well() else failures + 1
        self._unfit = f"the engine process did not answer {failures} health probes in a row"
        if self._child is not None:
            self._child.kill()

    def _take_report(self, line: str) -> None:
        with contextlib.suppress(msgspec.MsgspecError):
            self._report = msgspec.json.decode(line, type=Loading | self._worker.loaded | Failed)
            self._news.set()

    def _take_line(self, line: str) -> None:
        self._last_lines.append(line)
        serving = isinstance(self._report, Loaded)
        shown = (self._worker.while_serving if serving else self._worker.while_loading)(line)
        if shown is not None:
            self._log.log(_LEVELS[shown.level], "engine says", line=shown.text)


def _file_size(path: Path) -> int:
    """At least 1; a missing file is the process's to report."""
    try:
        return max(1, path.stat().st_size)
    except OSError:
        return 1


def resident_bytes(pid: int) -> int:
    """Memory a process occupies; 0 where that cannot be read.

    A model file is mapped and read while it loads, so this against its size is how far it is.
    """
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
