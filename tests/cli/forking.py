"""Runs commands as forks of a process that has imported them: that costs more than most commands.

Reads a wish a line, as JSON, and prints the exit code of each. A command has its own process, with
streams, folder and environment of its own, and what it imports or changes is gone with it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from linarite import main
from linarite.cli.root import COMMANDS

for load in COMMANDS.values():  # what is imported here, no fork has to
    load()

WRITE = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def become(wish: dict[str, Any]) -> None:
    """What the command would find if it had been started by itself."""
    signal.alarm(wish["within_s"])
    theirs, ours = os.pipe()
    os.set_blocking(ours, False)  # more than a pipe holds is an error
    os.write(ours, wish["stdin"].encode())
    os.close(ours)
    os.dup2(theirs, 0)
    os.dup2(os.open(wish["out"], WRITE), 1)
    os.dup2(os.open(wish["err"], WRITE), 2)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the command runs
    os.chdir(wish["folder"])
    os.environ.clear()
    os.environ.update(wish["environment"])
    sys.argv = [str(main.__file__), *wish["arguments"]]


def run() -> None:
    """Until there is no more to read; also in a fork, whose command ends its process."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(json.loads(line))
            return main.main()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    return None


if __name__ == "__main__":
    run()
