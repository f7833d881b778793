"""How many connections the system lets this process have."""

from __future__ import annotations

import sys


def allow_many_connections() -> int:
    """Raise the limit of open files to what this user may have; the limit then in force.

    Sessions usually begin with 1,024, for programs that can't deal with more; connections are
    files too.
    """
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415 - there is none for Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # macOS says that there is none, and takes 10,240 at most
        return soft
    return hard
