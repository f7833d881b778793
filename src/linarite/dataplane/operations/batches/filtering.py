"""`$filter` and `$orderby` of the list of batches.

Source: Azure OpenAI's preview reference of 2025-03-01: `created_at` and `status` are compared, and
lists are ordered by `created_at`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.domain.errors import InvalidRequest, LinariteError
from linarite.knowledge.odata import filter_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.batch import Batch

FIELDS = ("created_at", "status")
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "and", "or", "not")
TEXT = re.compile(r"'(?:[^']|'')*'")
ORDER = re.compile(r"\s*created_at(?:\s+(asc|desc))?\s*", re.IGNORECASE)


def wanted_by(said: str) -> Callable[[Batch], bool]:
    """What tells whether a batch is to be listed. Raises InvalidRequest."""
    for word in re.findall(r"[A-Za-z_][\w.]*", TEXT.sub("''", said)):
        if word not in FIELDS and word not in OPERATORS:
            raise _wrong("$filter", f"'{word[:100]}' is none of {', '.join(FIELDS + OPERATORS)}")
    try:
        # Azure's page writes 'Completed' and 'InProgress' where batches have in_progress.
        passes = filter_of(TEXT.sub(lambda text: _plain(text[0]), said))
    except LinariteError as problem:
        raise _wrong("$filter", problem.message) from None
    return lambda batch: passes({"created_at": batch.created_at, "status": _plain(batch.status)})


def oldest_first(said: str) -> bool:
    """Whether that order begins with the oldest. Raises InvalidRequest."""
    asked = ORDER.fullmatch(said)
    if asked is None:
        raise _wrong("$orderby", "only 'created_at asc' and 'created_at desc' are known")
    return (asked[1] or "asc").lower() == "asc"


def _plain(status: str) -> str:
    return status.lower().replace("_", "")


def _wrong(name: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"Invalid '{name}': {why}.", param=name, code="invalid_value")
