"""`If-Match` and `If-None-Match`, as RFC 9110 defines them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.arm_errors import precondition_failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.resource import Resource


def require(headers: Mapping[str, str], present: Resource | None, resource_id: str) -> None:
    """Let a write pass whose conditions hold. Raises ArmError 412."""
    if (wanted := headers.get("if-match")) is not None and (
        present is None or not _names(wanted, present.etag)
    ):
        raise precondition_failed(resource_id)
    unwanted = headers.get("if-none-match")
    if unwanted is not None and present is not None and _names(unwanted, present.etag):
        raise precondition_failed(resource_id)


def _names(header: str, etag: str) -> bool:
    """Whether a list of etags names this one; quotes and the mark of weak ones may be missing."""
    each = [part.strip().removeprefix("W/").strip('"') for part in header.split(",")]
    return "*" in each or etag in each
