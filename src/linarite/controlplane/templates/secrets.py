"""Keeps the values of secure parameters out of what is shown: errors, and what-if's bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.controlplane.templates.parameter_types import is_secure, resolved
from linarite.controlplane.templates.values import get

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from linarite.controlplane.templates.document import Template
    from linarite.controlplane.templates.values import Value

HIDDEN = "*******"
SHORTEST = 4
"""a secret of fewer characters is no secret, and would hide parts of every other word"""


class Secrets:
    """The strings that must not be shown."""

    def __init__(self, strings: Iterable[str] = ()) -> None:
        # Longer ones first: one may be a part of another.
        self._strings = sorted({one for one in strings if len(one) >= SHORTEST}, key=len)[::-1]

    def __or__(self, other: Secrets) -> Secrets:
        """Those of both."""
        return Secrets([*self._strings, *other._strings])

    def hidden_in(self, text: str) -> str:
        """The text without them."""
        for secret in self._strings:
            text = text.replace(secret, HIDDEN)
        return text

    def hidden(self, shown: Any) -> Any:  # noqa: ANN401 - JSON is anything
        """The same JSON without them."""
        if not self._strings:
            return shown
        if isinstance(shown, str):
            return self.hidden_in(shown)
        if isinstance(shown, list):
            return [self.hidden(member) for member in cast("list[Any]", shown)]
        if isinstance(shown, dict):
            whole = cast("dict[str, Any]", shown)
            return {name: self.hidden(value) for name, value in whole.items()}
        return shown


def secrets_of(template: Template, values: Mapping[str, Value]) -> Secrets:
    """Every string in the values of secure parameters."""
    definitions, given = template.definitions, dict(values)
    return Secrets(
        string
        for name, definition in template.parameters.items()
        if is_secure(resolved(definition, definitions))
        for string in _strings(get(given, name))
    )


def _strings(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)
    elif isinstance(value, dict):
        for member in value.values():
            yield from _strings(member)
