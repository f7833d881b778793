"""Records as lines of the files in Azure's layout of exported logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.diagnostics.records import azure_time
from linarite.domain.diagnostic_path import diagnostic_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from linarite.domain.diagnostics import DiagnosticRecord

HOUR_NS = 3_600 * 10**9
_encode = msgspec.json.Encoder().encode


def files_of(records: Sequence[DiagnosticRecord]) -> dict[str, list[bytes]]:
    """By the path of a file, what belongs into it: a line of JSON for each record."""
    files: dict[tuple[str, str, int], list[bytes]] = {}
    for record in records:
        hour = record.at_ns // HOUR_NS
        file = files.setdefault((record.category, record.resource_id, hour), [])
        file.append(_encode(record.body) + b"\n")
    return {
        diagnostic_path(category, resource_id, azure_time(hour * HOUR_NS)): lines
        for (category, resource_id, hour), lines in files.items()
    }


def parts_of(lines: Sequence[bytes], bytes_max: int) -> Iterator[bytes]:
    """The lines together, as many as fit at a time; one that fits nowhere stands by itself."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and size + len(line) > bytes_max:
            yield b"".join(part)
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield b"".join(part)
