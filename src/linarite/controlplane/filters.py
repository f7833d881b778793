"""`$filter` of lists: `name eq 'value'`, `name()` and `name('value')`, joined by `and`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.domain.arm_errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Collection

    from linarite.controlplane.request import ArmRequest

TERM = re.compile(
    r"(?P<name>\w+)\s*(?:\(\s*(?:'(?P<argument>[^']*)')?\s*\)|\s+eq\s+'(?P<value>(?:[^']|'')*)')"
)
LINK = re.compile(r"\s+and\s+", re.IGNORECASE)


def filter_terms(request: ArmRequest, known: Collection[str]) -> dict[str, str]:
    """Lower-cased name → value, "" for `name()`. Raises ArmError for what is not understood."""
    text = request.query.get("$filter", "").strip()
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = TERM.match(text, at)
        name = match["name"].lower() if match else ""
        if match is None or name not in known:
            raise bad_request(
                "InvalidFilterInQueryString",
                f"The filter '{text[at : at + 200]}' is not understood; use "
                f"{', '.join(sorted(known))}, and join terms with and.",
            )
        found[name] = (match["argument"] or match["value"] or "").replace("''", "'")
        at = match.end()
        link = LINK.match(text, at)
        if link is None and at < len(text):
            raise bad_request(
                "InvalidFilterInQueryString", f"In the filter, '{text[at : at + 200]}' is too much."
            )
        at = link.end() if link else at
    return found
