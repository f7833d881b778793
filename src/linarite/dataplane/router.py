"""From a path to its route row: dialect, account prefix, deployment, api-version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from linarite.dataplane.api_versions import DATED, V1
from linarite.domain.errors import ApiVersionNotSupported, MethodNotAllowed, ResourceNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.dataplane.call import Call, Operation, OperationKit
    from linarite.dataplane.routes import Route
    from linarite.domain.errors import GatewayError

_SLASHES = re.compile(r"/{2,}")
_QUERIES_CACHED_MAX = 512


class Place:
    """A template with its operations, by method."""

    def __init__(self) -> None:
        """Start without operations."""
        self.operations: dict[str, Operation] = {}
        self.versions: frozenset[str] = frozenset()


class Router:
    """Finds the operation of a call. Looks into dictionaries only."""

    def __init__(self, routes: Iterable[Route], kit: OperationKit) -> None:
        """Build every operation once and file it under the paths that lead to it."""
        self._v1: dict[str, Place] = {}
        self._flat: dict[str, Place] = {}
        self._deployment: dict[str, Place] = {}
        self._versions_seen: dict[bytes, str] = {}
        for route in routes:
            operation = route.operation(kit)
            dated = self._deployment if route.dated == "deployment" else self._flat
            for table in (self._v1, dated):
                place = table.setdefault(route.template.partition("{")[0], Place())
                place.operations[route.method] = operation
                place.versions = route.versions

    def find(self, call: Call, query: bytes) -> Operation | GatewayError:
        """The operation, or the refusal that an authenticated caller is to be told.

        Fills the call's account, dialect, api-version and path arguments in either case.
        """
        call.api_version = self._api_version(query)
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
            call.path_arguments["deployment"] = name
            place = self._place(self._deployment, "/" + rest, call)
        else:
            place = self._place(self._v1, rest, call)
        return ResourceNotFound() if place is None else _by_method(place, call.method)

    def _find_dated(self, call: Call, rest: str) -> Operation | GatewayError:
        if rest.startswith("/deployments/"):
            name, _, tail = rest[13:].partition("/")
            call.path_arguments["deployment"] = name
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
        return _by_method(place, call.method)

    def _place(self, table: dict[str, Place], rest: str, call: Call) -> Place | None:
        place = table.get(rest)
        if place is not None and not rest.endswith("/"):
            return place
        head, slash, last = rest.partition("/models/")
        if slash and not head and last:
            call.path_arguments["model"] = last
            return table.get("/models/")
        return None

    def _api_version(self, query: bytes) -> str:
        seen = self._versions_seen.get(query)
        if seen is not None:
            return seen
        version = dict(parse_qsl(query.decode("latin-1"))).get("api-version", "")
        if len(self._versions_seen) >= _QUERIES_CACHED_MAX:
            self._versions_seen.clear()
        if len(query) < 200:  # noqa: PLR2004 - a longer one is no client's usual query
            self._versions_seen[query] = version
        return version


def _by_method(place: Place, method: str) -> Operation | GatewayError:
    operation = place.operations.get(method)
    return MethodNotAllowed(list(place.operations)) if operation is None else operation
