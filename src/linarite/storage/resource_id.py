"""How ARM ids are compared: without case, and without a slash at the end."""

from __future__ import annotations


def id_key(resource_id: str) -> str:
    """The form under which an id is kept and found."""
    return resource_id.lower().rstrip("/")


def range_under(parent_id: str) -> tuple[str, str]:
    """The keys strictly under a parent are those from the first up to, not with, the second.

    Byte order makes it one range ("0" is the character after "/"), which an index can walk and
    no wildcard in an id can widen. Everything is under "".
    """
    key = id_key(parent_id)
    return f"{key}/", f"{key}0"
