"""Makes `.venv` and installs one hash-locked set of requirements and Linarite itself into it.

Run by `scripts/setup`, with any Python that is new enough, before anything is installed: so this
file uses the standard library only. A set that has uv is installed by uv, in a fifth of pip's
time. On a terminal it draws a progress bar, elsewhere it prints one line per phase. What pip says
goes to `.venv/set-up.log`, and to the screen when it fails.
"""

from __future__ import annotations

import fcntl
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
LOG = VENV / "set-up.log"
REQUIREMENTS = {"core": "requirements/core.txt", "dev": "requirements/dev.txt"}


def main(arguments: Sequence[str]) -> int:
    """Set up one set, unless another run of ours has done so meanwhile."""
    set_name, key = arguments
    started = time.monotonic()
    VENV.mkdir(exist_ok=True)
    with (VENV / "set-up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if read_stamp(set_name) == key:
            return 0
        try:
            set_up(set_name)
        except SetUpFailed as failure:
            print(f"\n{failure}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nInterrupted; the next run continues.", file=sys.stderr)
            return 130
        stamp_of(set_name).write_text(f"{key}\n")
    print(f"Ready after {time.monotonic() - started:.0f} s.", flush=True)
    return 0


def set_up(set_name: str) -> None:
    """The three phases. Raises SetUpFailed."""
    requirements = REQUIREMENTS[set_name]
    locked = (ROOT / requirements).read_text()
    count = len(re.findall(r"^[\w.-]+==", locked, re.MULTILINE))
    version = ".".join(map(str, sys.version_info[:3]))
    say(1, f"Python {version} → .venv")
    if not works(VENV_PYTHON):
        make_environment()
    LOG.write_text("")
    say(2, f"Packages of {requirements}, each checked against its hash")
    if not installed_by_uv(requirements, locked):
        pip("--require-hashes", "-r", requirements, count=count)
    say(3, "Linarite itself")
    pip("--no-deps", "--no-build-isolation", "-e", ".", count=1)


def works(python: Path) -> bool:
    """Whether this is a Python of ours, still in its place, that can install."""
    if not python.exists():
        return False
    probe = "import sys, pip; print(sys.prefix); sys.exit(sys.version_info < (3, 11))"
    done = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False)
    # Scripts of a moved environment would start the Python of the place that it came from.
    moved = (VENV / "bin" / "pip").exists() and str(VENV) not in (VENV / "bin" / "pip").read_text()
    return done.returncode == 0 and done.stdout.strip() == str(VENV) and not moved


def make_environment() -> None:
    """A fresh environment, keeping only our lock. Raises SetUpFailed."""
    for entry in VENV.iterdir():
        if entry.name == "set-up.lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SetUpFailed(
            f"{sys.executable} can't make a virtual environment:\n{done.stdout}{done.stderr}\n"
            "On Debian and Ubuntu `apt install python3-venv` helps; "
            "or name another Python: make PYTHON=… "
        )


def installed_by_uv(requirements: str, locked: str) -> bool:
    """Whether uv could install the set: it is part of it, and comes first, by pip and its hash.

    It knows pip's mirror from the environment, not from pip's own files: where it reaches nothing
    it says why in the log, and pip does the work. Raises SetUpFailed if uv can't be had.
    """
    block = re.search(r"^uv==(?:.*\\\n)*.*$", locked, re.MULTILINE)
    if block is None:
        return False
    alone = VENV / "uv.txt"
    alone.write_text(f"{block[0]}\n")
    pip("--require-hashes", "--no-deps", "-r", str(alone), count=1)
    with LOG.open("a") as log:
        done = subprocess.run(
            [
                *(VENV / "bin" / "uv", "pip", "install", "--python", VENV_PYTHON),
                *("--compile-bytecode", "--require-hashes", "-r", requirements),
            ],
            cwd=ROOT,
            env=mirrors_for_uv() | os.environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
        )
    return done.returncode == 0


def mirrors_for_uv() -> dict[str, str]:
    """The mirror for uv, which has variables of its own for it, as people have set pip's."""
    names = {"UV_DEFAULT_INDEX": "PIP_INDEX_URL", "UV_FIND_LINKS": "PIP_FIND_LINKS"}
    return {ours: os.environ[pips] for ours, pips in names.items() if os.environ.get(pips)}


def pip(*arguments: str, count: int) -> None:
    """Run `pip install`, showing how far it is. Raises SetUpFailed with what pip said last."""
    command = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    process = subprocess.Popen(
        [*command, "--progress-bar", "off", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101 - asked for above
    progress = Progress(count)
    said: list[str] = []
    try:
        with LOG.open("a") as log:
            for line in lines_and_ticks(process.stdout):
                if line is not None:
                    log.write(line)
                    said.append(line)
                    progress.read(line)
                progress.draw()
        status = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        progress.erase()
    if status != 0:
        tail = "".join([line for line in said if not line.startswith("WARNING: Location")][-15:])
        raise SetUpFailed(
            f"{tail}\nInstalling failed (all that pip said is in {LOG.relative_to(ROOT)}).\n"
            "A machine that reaches only a mirror names it in PIP_INDEX_URL, "
            "or a folder of wheels in PIP_FIND_LINKS with PIP_NO_INDEX=1."
        )


def lines_and_ticks(stream: IO[str]) -> Iterator[str | None]:
    """The stream's lines as they come, and None four times a second while none comes."""
    arrived: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        for line in stream:
            arrived.put(line)
        arrived.put(None)

    threading.Thread(target=pump, daemon=True).start()
    while True:
        try:
            line = arrived.get(timeout=0.25)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


@dataclass
class Progress:
    """A bar drawn from what pip prints; draws nothing where there is no terminal."""

    count: int
    collected: int = 0
    doing: str = ""
    started: float = field(default_factory=time.monotonic)
    live: bool = field(default_factory=sys.stdout.isatty)

    def read(self, line: str) -> None:
        """Learn from one line of pip's."""
        words = line.split()
        if not words:
            return
        if words[0] in {"Collecting", "Obtaining"} or line.startswith("Requirement already"):
            self.collected += 1
            self.doing = words[1] if words[0] == "Collecting" else ""
        elif words[0] == "Ignoring":
            self.count -= 1
        elif words[0] == "Downloading":
            self.doing = " ".join([words[1].rpartition("/")[2], *words[2:]])
        elif words[0] == "Installing":
            self.collected = self.count
            self.doing = "unpacking"

    def draw(self) -> None:
        """Draw the bar in place of the last one."""
        if not self.live:
            return
        width = 24
        done = min(width, width * self.collected // max(1, self.count))
        bar = "█" * done + "░" * (width - done)
        elapsed = time.monotonic() - self.started
        text = f"      {bar} {self.collected}/{self.count} {elapsed:3.0f} s  {self.doing}"
        columns = shutil.get_terminal_size().columns
        print(f"\r\x1b[K{text[: columns - 1]}", end="", flush=True)

    def erase(self) -> None:
        """Leave the line as if nothing had been drawn."""
        if self.live:
            print("\r\x1b[K", end="", flush=True)


class SetUpFailed(Exception):
    """Set-up can't go on; the message says why and what helps."""


def say(phase: int, text: str) -> None:
    """One line per phase."""
    print(f"[{phase}/3] {text}", flush=True)


def stamp_of(set_name: str) -> Path:
    """The file `scripts/setup` reads to see that a set is there."""
    return VENV / f"set-up-{set_name}"


def read_stamp(set_name: str) -> str:
    """The key of the last set-up that went through, or nothing."""
    stamp = stamp_of(set_name)
    return stamp.read_text().strip() if stamp.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
