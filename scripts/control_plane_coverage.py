"""Prints `docs/reference/control-plane-coverage.md`: the route table beside Azure's operations."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from linarite.controlplane.actions import ACTIONS
from linarite.controlplane.plane import filed
from linarite.controlplane.routes import RESOURCE_TYPES

OFFICIAL = Path(__file__).parent.parent / "docs/reference/cognitive-services-operations.tsv"
STABLE = "2025-09-01"
SHORTER = {
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
    "/providers/Microsoft.CognitiveServices": "R",
    "/subscriptions/{subscriptionId}/providers/Microsoft.CognitiveServices": "S",
}


class Line(NamedTuple):
    """An operation of Azure's and what of it is here."""

    since: str
    name: str
    method: str
    path: str
    state: str
    """implemented, partial or missing"""
    note: str


def lines() -> list[Line]:
    """Every official operation, in the order of the file."""
    router = filed(RESOURCE_TYPES, ACTIONS)
    found: list[Line] = []
    with OFFICIAL.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            place = router.find(row["path"])
            operation = place[0].get(row["method"]) if place else None
            state = "missing"
            if operation is not None:
                state = "partial" if operation.partial else "implemented"
            found.append(
                Line(
                    row["since"],
                    f"{row['group']}.{row['operation']}",
                    row["method"],
                    row["path"],
                    state,
                    operation.partial if operation else "",
                )
            )
    return found


def page(found: list[Line]) -> str:
    """The page."""
    stable = [line for line in found if line.since == STABLE]
    text = [
        "# Control plane: coverage",
        "",
        "Made from the route table by `make docs`, beside the operations of Azure's Cognitive",
        "Services provider (names and paths: `cognitive-services-operations.tsv`).",
        (
            "`R` stands for `/subscriptions/{subscription}/resourceGroups/{group}/providers/"
            "Microsoft.CognitiveServices`, `S` for the same without the group."
        ),
        "",
        "*Partial* operations answer as Azure does, but what they keep does not act yet.",
        "",
        "| operations | all | implemented | partial | missing | answered |",
        "| --- | --- | --- | --- | --- | --- |",
        share(f"of {STABLE}, the newest that the stable SDKs speak", stable),
        share("with those of 2026-09-15-preview", found),
        "",
        "| operation | request | since | here |",
        "| --- | --- | --- | --- |",
    ]
    for line in found:
        note = f": {line.note}" if line.note else ""
        text.append(
            f"| {line.name} | `{line.method} {shorter(line.path)}` | {line.since} "
            f"| {line.state}{note} |"
        )
    return "\n".join(text) + "\n"


def share(title: str, found: list[Line]) -> str:
    """A row of counts."""
    count = {
        state: sum(line.state == state for line in found)
        for state in ("implemented", "partial", "missing")
    }
    answered = count["implemented"] + count["partial"]
    return (
        f"| {title} | {len(found)} | {count['implemented']} | {count['partial']} "
        f"| {count['missing']} | {answered / len(found):.0%} |"
    )


def shorter(path: str) -> str:
    """The path without what most have in common."""
    for long, short in SHORTER.items():
        if path.startswith(long + "/"):
            return short + path[len(long) :]
    return path


if __name__ == "__main__":
    print(page(lines()), end="")
