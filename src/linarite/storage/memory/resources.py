"""Resources in a dictionary."""

from __future__ import annotations

import msgspec

from linarite.domain.resource import Resource
from linarite.storage.resource_id import id_key, range_under
from linarite.storage.resource_write import encoded, written


class MemoryResourceStore:
    """`ResourceStore` without a file: gone with the process.

    Resources are kept encoded, as on disk, so that nobody's later change of a dictionary reaches
    what is stored.
    """

    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}
        self._decode = msgspec.json.Decoder(Resource).decode

    async def get(self, resource_id: str) -> Resource | None:
        """The resource, or None."""
        return self._get(id_key(resource_id))

    async def list_under(self, parent_id: str, resource_type: str) -> list[Resource]:
        """Those of a type at any depth under `parent_id` ("" for all), ordered by id."""
        first, end = range_under(parent_id)
        wanted = resource_type.lower()
        keys = sorted(key for key in self._bodies if first <= key < end)
        found = (self._decode(self._bodies[key]) for key in keys)
        return [resource for resource in found if resource.type.lower() == wanted]

    async def put(self, resource: Resource, *, expected_etag: str | None = None) -> Resource:
        """Write and return it with its new etag. Raises EtagMismatch."""
        key = id_key(resource.id)
        new = written(resource, self._get(key), expected_etag)
        self._bodies[key] = encoded(new)
        return self._decode(self._bodies[key])

    async def delete(self, resource_id: str) -> bool:
        """Remove it and everything under it; False, and nothing removed, when it was not there."""
        key = id_key(resource_id)
        if key not in self._bodies:
            return False
        first, end = range_under(resource_id)
        for each in [each for each in self._bodies if each == key or first <= each < end]:
            del self._bodies[each]
        return True

    def _get(self, key: str) -> Resource | None:
        body = self._bodies.get(key)
        return None if body is None else self._decode(body)
