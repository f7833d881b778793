"""From a path to its route row: dialect, account prefix, deployment, api-version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import parse_qsl

from linarite.dataplane.api_versions import DATED, V1
from linarite.domain.errors import (
    ApiVersionNotSupported,
    LinariteError,
    MethodNotAllowed,
    ResourceNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from linarite.dataplane.call import Call, Operation, OperationKit
    from linarite.dataplane.routes import Route
    from linarite.domain.errors import GatewayError

_SLASHES = re.compile(r"/{2,}")
_REMEMBERED_MAX = 512
_REMEMBERED_CHARACTERS_MAX = 400
"""a longer path or query is no client's usual one"""


class OperationFinder(Protocol):
    """What a data plane asks which operation answers a call."""

    def find(self, call: Call, query: bytes) -> Operation | GatewayError:
        """The operation, or the refusal that an authenticated caller is to be told.

        Fills the call's account, dialect, api-version and path arguments in either case.
        """
        ...


class _Found(NamedTuple):
    """What a call's line led to; shared by all calls with the same line."""

    operation: Operation
    account: str
    v1: bool
    api_version: str
    path_arguments: Mapping[str, str]


class Place:
    """A template with its operations, by method."""

    def __init__(self) -> None:
        """Start without operations."""
        self.operations: dict[str, Operation] = {}
        self.versions: frozenset[str] = frozenset()


class Places:
    """The templates of one dialect's paths."""

    def __init__(self) -> None:
        """Start without any."""
        self._exact: dict[str, Place] = {}
        self._patterns: dict[int, list[tuple[list[str], Place]]] = {}
        """by the number of segments; those in braces are arguments"""

    def of(self, template: str) -> Place:
        """The place of a template, new where there is none."""
        if "{" not in template:
            return self._exact.setdefault(template, Place())
        segments = template.split("/")
        alike = self._patterns.setdefault(len(segments), [])
        for other, place in alike:
            if other == segments:
                return place
        alike.append((segments, place := Place()))
        return place

    def find(self, rest: str) -> tuple[Place, dict[str, str]] | None:
        """The place that a path leads to, and its arguments; plain words come before arguments."""
        place = self._exact.get(rest)
        if place is not None:
            return place, {}
        # A model's name may have slashes in it.
        parts = rest.split("/", 2 if rest.startswith("/models/") else -1)
        for segments, place in self._patterns.get(len(parts), ()):
            if all(map(_fits, segments, parts)):
                named = zip(segments, parts, strict=True)
                return place, {each[1:-1]: part for each, part in named if each[:1] == "{"}
        return None


def _fits(segment: str, part: str) -> bool:
    return segment == part or (segment[:1] == "{" and part != "")


class Router:
    """The `OperationFinder` of the routes. Looks into dictionaries only."""

    def __init__(self, routes: Iterable[Route], kit: OperationKit) -> None:
        """Build every operation once and file it under the paths that lead to it."""
        self._v1 = Places()
        self._flat = Places()
        self._deployment = Places()
        self._remembered: dict[tuple[str, str, bytes], _Found] = {}
        for route in routes:
            operation = route.operation(kit)
            dated = self._deployment if route.dated == "deployment" else self._flat
            for table in (self._v1, dated):
                place = table.of(route.template)
                place.operations[route.method] = operation
                place.versions = route.versions

    def find(self, call: Call, query: bytes) -> Operation | GatewayError:
        """See OperationFinder."""
        call.query = query
        line = (call.method, call.path, query)
        known = self._remembered.get(line)
        if known is not None:
            operation, call.account, call.v1, call.api_version, call.path_arguments = known
            return operation
        found = self._look(call, query)
        if (
            not isinstance(found, LinariteError)
            and len(call.path) + len(query) < _REMEMBERED_CHARACTERS_MAX
        ):
            if len(self._remembered) >= _REMEMBERED_MAX:
                self._remembered.clear()
            self._remembered[line] = _Found(
                found, call.account, call.v1, call.api_version, call.path_arguments
            )
        return found

    def _look(self, call: Call, query: bytes) -> Operation | GatewayError:
        version = dict(parse_qsl(query.decode("latin-1"))).get("api-version", "")
        call.api_version = version
        path = call.path
        if "//" in path:
            path = _SLASHES.sub("/", path)
        path = path.removesuffix("/")
        if not path.startswith("/openai/"):
            prefix, found, rest = path[1:].partition("/openai/")
            if not found or "/" in prefix:
                return ResourceNotFound()
            call.account = prefix
            path = "/openai/" + rest
        if path.startswith("/openai/v1/"):
            return self._find_v1(call, path[10:])
        return self._find_dated(call, path[7:])

    def _find_v1(self, call: Call, rest: str) -> Operation | GatewayError:
        call.v1 = True
        if call.api_version not in V1:
            return ApiVersionNotSupported()
        if rest.startswith("/deployments/"):
            # AzureOpenAI(base_url=".../openai/v1/") inserts this; harmless to understand.
            name, _, rest = rest[13:].partition("/")
            call.path_arguments = {"deployment": name}
            place = self._place(self._deployment, "/" + rest, call)
        else:
            place = self._place(self._v1, rest, call)
        return ResourceNotFound() if place is None else _by_method(place, call.method)

    def _find_dated(self, call: Call, rest: str) -> Operation | GatewayError:
        if rest.startswith("/deployments/"):
            name, _, tail = rest[13:].partition("/")
            call.path_arguments = {"deployment": name}
            place = self._place(self._deployment, "/" + tail, call)
        else:
            place = self._place(self._flat, rest, call)
        if place is None:
            return ResourceNotFound()
        if call.api_version not in place.versions:
            known = "this operation's" if call.api_version in DATED else "supported"
            return ResourceNotFound(
                hint={
                    "code": "ApiVersionNotFound",
                    "message": f"The query parameter api-version is '{call.api_version[:40]}', "
                    f"which is not one of {known} versions.",
                    "api_versions": sorted(place.versions),
                }
            )
        found = _by_method(place, call.method)
        if isinstance(found, MethodNotAllowed) and self._belongs_below(rest, call.method):
            return ResourceNotFound(
                hint={
                    "code": "DeploymentMissing",
                    "message": "This is asked of a deployment, which stands in the path: "
                    f"/openai/deployments/NAME{rest[:40]}.",
                }
            )
        return found

    def _belongs_below(self, rest: str, method: str) -> bool:
        """Whether a path without a deployment is one that is asked of a deployment.

        Azure knows no such path, whatever else lies at it: 404, as BerriAI/litellm#8572 shows.
        """
        below = self._deployment.find(rest)
        return below is not None and method in below[0].operations

    def _place(self, table: Places, rest: str, call: Call) -> Place | None:
        found = table.find(rest)
        if found is None:
            return None
        place, arguments = found
        if arguments:
            call.path_arguments = {**call.path_arguments, **arguments}
        return place


def _by_method(place: Place, method: str) -> Operation | GatewayError:
    operation = place.operations.get(method)
    return MethodNotAllowed(list(place.operations)) if operation is None else operation
