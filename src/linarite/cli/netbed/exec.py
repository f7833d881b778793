"""`linarite netbed exec`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from linarite.cli.netbed.demo import command_on, require_beds, running_demo
from linarite.domain.errors import SetupError


def execute(
    host: Annotated[
        str, typer.Argument(help="One of the hosts that `linarite netbed status` draws.")
    ],
    command: Annotated[list[str], typer.Argument(help="The program and its arguments.")],
) -> None:
    """Run a program on a host of the demo.

    Clients' hosts have AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY in their environment, the
    server's has LINARITE_HOME. The exit code is the program's.
    """
    require_beds()
    bed = running_demo()
    if host not in bed.record.hosts:
        raise SetupError(f"There is no host '{host}'. Hosts: {', '.join(bed.record.hosts)}.")
    line = command_on(bed, host, command[1:] if command[0] == "--" else command)
    os.execvp(line[0], line)  # noqa: S606 - what the person typed, without a shell's reading
