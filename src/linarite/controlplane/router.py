"""From a path to the row that answers it. Fixed words are compared without case.

A template that begins with `{scope}` belongs to extension resources: whatever stands in the scope's
place, from nothing to the id of any resource, what follows is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from linarite.controlplane.request import Target
from linarite.domain.arm_id import segments_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Entry = TypeVar("Entry")

SCOPE = "{scope}"


class _Node(Generic[Entry]):
    def __init__(self) -> None:
        self.words: dict[str, tuple[str, _Node[Entry]]] = {}
        self.names: dict[str, _Node[Entry]] = {}
        self.entries: dict[str, Entry] = {}


class Router(Generic[Entry]):
    """Templates with one entry for each method."""

    def __init__(self) -> None:
        self._root: _Node[Entry] = _Node()
        self._extensions: _Node[Entry] = _Node()
        """what may follow any scope"""
        self._longest = 0
        """parts of the longest extension: a longer end of a path can be none"""

    def add(self, method: str, template: str, entry: Entry) -> None:
        """File an entry. Raises ValueError when there is one for this method and path."""
        parts = segments_of(template)
        node = self._root
        if parts[:1] == [SCOPE]:
            node, parts = self._extensions, parts[1:]
            self._longest = max(self._longest, len(parts))
        for part in parts:
            if part.startswith("{"):
                node = node.names.setdefault(part.strip("{}"), _Node())
            else:
                node = node.words.setdefault(part.lower(), (part, _Node()))[1]
        if method in node.entries:
            message = f"two rows answer {method} {template}"
            raise ValueError(message)
        node.entries[method] = entry

    def find(self, path: str) -> tuple[dict[str, Entry], Target] | None:
        """The entries of a path by method, and what the path means; None where there are none.

        A fixed word wins over a name, a path of its own over an extension, and the shortest
        extension over longer ones. What stands for the scope is the target's name `scope`.
        """
        parts = segments_of(path)
        for node, said, names in self._walk(self._root, parts):
            if node.entries:
                return node.entries, Target(_path(said), names)
        for at in range(len(parts) - 1, max(len(parts) - self._longest, 0) - 1, -1):
            if parts[at].lower() != "providers":
                continue
            scope = _path(parts[:at])
            for node, said, names in self._walk(self._extensions, parts[at:]):
                if node.entries:
                    return node.entries, Target(scope + _path(said), {"scope": scope, **names})
        return None

    def _walk(
        self, node: _Node[Entry], parts: list[str]
    ) -> Iterator[tuple[_Node[Entry], list[str], dict[str, str]]]:
        if not parts:
            yield node, [], {}
            return
        first, rest = parts[0], parts[1:]
        if (found := node.words.get(first.lower())) is not None:
            word, inner = found
            for end, said, names in self._walk(inner, rest):
                yield end, [word, *said], names
        for name, inner in node.names.items():
            for end, said, names in self._walk(inner, rest):
                yield end, [first, *said], {name: first, **names}


def _path(parts: list[str]) -> str:
    return "".join(f"/{part}" for part in parts)
