"""The template functions: one table, found without case."""

from __future__ import annotations

from functools import partial

from linarite.controlplane.templates.functions.arrays import ARRAYS
from linarite.controlplane.templates.functions.builtin import Builtin, asking
from linarite.controlplane.templates.functions.dates import DATES
from linarite.controlplane.templates.functions.deployments import DEPLOYMENTS
from linarite.controlplane.templates.functions.encodings import ENCODINGS
from linarite.controlplane.templates.functions.hashes import HASHES
from linarite.controlplane.templates.functions.lambdas import LAMBDAS
from linarite.controlplane.templates.functions.networks import NETWORKS
from linarite.controlplane.templates.functions.numbers import LOGIC, NUMBERS
from linarite.controlplane.templates.functions.objects import OBJECTS
from linarite.controlplane.templates.functions.resources import RESOURCES, list_action
from linarite.controlplane.templates.functions.strings import STRINGS

FUNCTIONS: dict[str, Builtin] = {
    **ARRAYS,
    **DATES,
    **DEPLOYMENTS,
    **ENCODINGS,
    **HASHES,
    **LAMBDAS,
    **LOGIC,
    **NETWORKS,
    **NUMBERS,
    **OBJECTS,
    **RESOURCES,
    **STRINGS,
}
LAMBDA = "lambda"
"""the one function that the evaluation knows itself: it makes functions"""
READS_WORLD = frozenset({"reference", "references"})
DEFAULTS_ONLY = frozenset({"utcnow", "newguid"})
"""what only the default value of a parameter may ask"""

_BY_NAME = {name.lower(): (name, builtin) for name, builtin in FUNCTIONS.items()}


def find_function(name: str) -> tuple[str, Builtin] | None:
    """A function and its name as Azure spells it; `list…` is one for every action so named."""
    found = _BY_NAME.get(name.lower())
    if found is None and is_list_action(name):
        return name, asking(partial(list_action, name), 1, 3)
    return found


def is_list_action(name: str) -> bool:
    """Whether it is one of `listKeys`, `listSecrets`, …."""
    return len(name) > len("list") and name.lower().startswith("list") and "." not in name


def reads_world(name: str) -> bool:
    """Whether it has a value only once the deployment comes to it."""
    return name.lower() in READS_WORLD or is_list_action(name)
