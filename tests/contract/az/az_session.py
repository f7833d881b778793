"""Runs az commands one after another in one process: its start costs more than most commands.

Reads a JSON list of arguments per line, writes a JSON object per line: code, what was printed,
error.
Runs with the Python of az's own environment, which has none of our packages.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from importlib import import_module
from typing import Any

# By its name: the environment in which this file is checked does not have it.
get_default_cli = import_module("azure.cli.core").get_default_cli
# az looks ten seconds after it has decided about a private endpoint's connection, and not before.
deciding: Any = import_module(
    "azure.cli.command_modules.network.private_link_resource_and_endpoint_connections"
    ".resource_providers"
)
deciding.RETRY_INTERVAL = 0.2


def run(arguments: list[str]) -> dict[str, object]:
    """One command, as `az` itself runs it."""
    out, err = io.StringIO(), io.StringIO()
    cli = get_default_cli()
    told, sys.stderr = sys.stderr, err
    listener = logging.StreamHandler(err)
    listener.setLevel(logging.ERROR)
    logging.getLogger("cli").addHandler(listener)
    try:
        code = cli.invoke(arguments, out_file=out)
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.stderr = told
        logging.getLogger("cli").removeHandler(listener)
    error = cli.result.error if cli.result else None
    return {
        "code": code,
        "error": f"{error or ''} {err.getvalue()}".strip(),
        "printed": out.getvalue(),
    }


def main() -> None:
    """Answer until there is no more to read. What az prints by itself must not mix with that."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        answers.write(json.dumps(run(json.loads(line))) + "\n")
        answers.flush()


main()
