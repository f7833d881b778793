"""The texts that end a reply, as asked for."""

from __future__ import annotations

from linarite.domain.errors import InvalidRequest

_STOPS_MAX = 4


def stops_of(stop: str | list[str] | None) -> list[str]:
    """The texts, without empty ones. Raises InvalidRequest."""
    stops = [stop] if isinstance(stop, str) else stop or []
    if len(stops) > _STOPS_MAX:
        raise InvalidRequest(
            f"Invalid 'stop': array too long. Expected an array with maximum length {_STOPS_MAX}, "
            f"but got an array with length {len(stops)} instead.",
            param="stop",
            code="array_above_max_length",
        )
    return [text for text in stops if text]
