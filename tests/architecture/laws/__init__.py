"""The laws of the code base, one checker each.

A checker takes the root of a checkout and returns what breaks its law, one line per violation,
each naming the place and what to do. `LAWS` is the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.architecture.laws.findability import (
    arm_resources_are_findable,
    engines_are_findable,
    operations_are_findable,
)
from tests.architecture.laws.ignores import ignores_say_why
from tests.architecture.laws.imports import imports_keep_the_contracts
from tests.architecture.laws.libraries import libraries_are_listed
from tests.architecture.laws.lock_files import lock_files_are_whole
from tests.architecture.laws.reach import (
    domain_needs_no_library,
    environment_is_read_in_settings,
)
from tests.architecture.laws.sizes import sizes_are_small
from tests.architecture.laws.sockets import sockets_are_opened_at_the_edge
from tests.architecture.laws.words import files_speak_of_the_project_alone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAWS: dict[str, Callable[[Path], list[str]]] = {
    "sizes": sizes_are_small,
    "operations": operations_are_findable,
    "engines": engines_are_findable,
    "ARM resources": arm_resources_are_findable,
    "environment": environment_is_read_in_settings,
    "sockets": sockets_are_opened_at_the_edge,
    "libraries": libraries_are_listed,
    "domain": domain_needs_no_library,
    "words": files_speak_of_the_project_alone,
    "lock files": lock_files_are_whole,
    "ignores": ignores_say_why,
    "imports": imports_keep_the_contracts,
}
