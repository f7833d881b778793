"""What requests that make files say about them: purpose, name, expiry."""

from __future__ import annotations

from linarite.domain.errors import InvalidRequest

PURPOSES = ("assistants", "batch", "evals", "fine-tune", "user_data", "vision")
DAY_S = 86_400
LIVES_S = (14 * DAY_S, 30 * DAY_S)
"""how long a file that expires may live, at least and at most"""
NAME_CHARACTERS_MAX = 512


def checked_purpose(purpose: str) -> str:
    """It, where applications may store files for it. Raises InvalidRequest."""
    if purpose not in PURPOSES:
        raise InvalidRequest(
            f"'{purpose[:50]}' is not one of {list(PURPOSES)} - 'purpose'"
            if purpose
            else "Missing required parameter: 'purpose'.",
            param="purpose",
        )
    return purpose


def plain_name(filename: str) -> str:
    """A file's name without folders and what can't be printed; `file` where nothing is left."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    printable = "".join(each if each.isprintable() else "_" for each in name)
    return printable[:NAME_CHARACTERS_MAX] or "file"


def checked_life(anchor: str | None, seconds: int, named: str = "expires_after.{}") -> int:
    """In how many seconds it expires. Raises InvalidRequest, with the fields as `named` has them.

    Azure's bounds: 14 to 30 days.
    """
    if anchor != "created_at":
        raise InvalidRequest(
            f"'{named.format('anchor')}' must be 'created_at'.", param="expires_after.anchor"
        )
    least, most = LIVES_S
    if not least <= seconds <= most:
        raise InvalidRequest(
            f"'{named.format('seconds')}' must be an integer between {least} and {most}.",
            param="expires_after.seconds",
        )
    return seconds
