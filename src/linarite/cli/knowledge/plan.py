"""What must be done for a store to hold what a folder holds.

Nothing is remembered here: a file of the store says by its attributes where it is from and what
it holds. So a sync that was broken off goes on where it was, from another machine as well, and
files that others have put into the store are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from linarite.cli.arm.answers import part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.cli.knowledge.documents import Document

SOURCE, PATH, DIGEST = "sync_source", "filepath", "sync_digest"
"""attributes; `filepath` is shown in citations"""
COMPLETED, FAILED = "completed", "failed"


class Addition(NamedTuple):
    """A document that must come into the store."""

    document: Document
    replaced: list[str]
    """ids of files that it stands for: they go once it has come"""


class Plan(NamedTuple):
    """What must be done."""

    additions: list[Addition]
    removals: list[tuple[str, str]]
    """paths and ids of files that are in the folder no more, or twice in the store"""
    unchanged: int
    problems: list[tuple[str, str]]
    """paths and reasons: of files that can't be read, here or by the account"""


def attributes_of(document: Document, source: str) -> dict[str, str]:
    """What a file of the store says of itself."""
    return {SOURCE: source, PATH: document.path, DIGEST: document.digest}


def plan(
    documents: Sequence[Document], there: Sequence[dict[str, Any]], source: str, *, retry: bool
) -> Plan:
    """Compare. With `retry`, what the account could not read is sent to it again."""
    by_path: dict[str, list[dict[str, Any]]] = {}
    for file in there:
        told = part(file, "attributes")
        if told.get(SOURCE) == source and isinstance(told.get(PATH), str):
            by_path.setdefault(told[PATH], []).append(file)
    made = Plan([], [], 0, [])
    unchanged = 0
    for document in documents:
        old = by_path.pop(document.path, [])
        if document.problem:  # what is in the store of it stays: it may be readable tomorrow
            made.problems.append((document.path, document.problem))
            continue
        same = [each for each in old if _is_same(each, document, retry=retry)]
        if not same:
            made.additions.append(Addition(document, [each["id"] for each in old]))
            continue
        kept = same[0]
        made.removals.extend((document.path, each["id"]) for each in old if each is not kept)
        if kept["status"] == FAILED:
            made.problems.append((document.path, reason_of(kept)))
        else:
            unchanged += 1
    for path, files in by_path.items():
        made.removals.extend((path, each["id"]) for each in files)
    return made._replace(unchanged=unchanged)


def _is_same(file: dict[str, Any], document: Document, *, retry: bool) -> bool:
    if part(file, "attributes").get(DIGEST) != document.digest:
        return False
    return file["status"] in {COMPLETED, "in_progress"} or (file["status"] == FAILED and not retry)


def reason_of(file: dict[str, Any]) -> str:
    """Why an account could not take a file in."""
    told = part(file, "last_error")
    return str(told.get("message") or told.get("code") or file["status"])
