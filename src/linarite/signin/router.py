"""From a path to what answers it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from linarite.signin.request import Ask, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.signin.desk import Desk

Act = Callable[[Ask, "Desk"], Awaitable[Reply]]


class Route(msgspec.Struct, frozen=True):
    """One path and what answers each of its methods."""

    template: str
    """fixed words, compared without case, and names in braces"""
    by_method: dict[str, Act]


class Router:
    """Routes by the number of their segments; the first that fits answers."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """In the order in which they are tried."""
        self._by_length: dict[int, list[tuple[list[str], Route]]] = {}
        for route in routes:
            words = segments(route.template)
            self._by_length.setdefault(len(words), []).append((words, route))

    def find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a path, and what stood in its braces."""
        sent = segments(path)
        for words, route in self._by_length.get(len(sent), ()):
            names: dict[str, str] = {}
            for word, part in zip(words, sent, strict=True):
                if word.startswith("{"):
                    names[word.strip("{}")] = part
                elif word.lower() != part.lower():
                    break
            else:
                return route, names
        return None


BY_APP_ID = "appId="
"""how a client id stands among the parts of a path"""
KEYED = re.compile(r"(\w+)\(appId='([^']*)'\)")


def segments(path: str) -> list[str]:
    """The parts of a path; slashes too many don't count.

    Graph's `applications(appId='…')` is two parts: `applications` and `appId=…`.
    """
    found: list[str] = []
    for part in path.split("/"):
        keyed = KEYED.fullmatch(part)
        if keyed is not None:
            found += [keyed[1], f"{BY_APP_ID}{keyed[2]}"]
        elif part:
            found.append(part)
    return found
