"""Memory and SQLite give the same answers to any sequence of calls."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from linarite.domain.errors import LinariteError
from linarite.domain.resource import Resource
from linarite.storage.database import open_database
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.storage.sqlite.resources import SqliteResourceStore

if TYPE_CHECKING:
    from collections.abc import Coroutine

# Few and alike, so that ids meet; every character that means something to some pattern or order.
SEGMENTS = st.sampled_from(["a", "A", "b", "bc", "b-", "b0", "%", "_", "é", "É", "😀", "z.z"])
IDS = st.lists(SEGMENTS, max_size=3).map(lambda segments: "/".join(["", *segments]))
TYPES = st.sampled_from(["T/x", "t/X", "T/x/y"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


class ResourceStores(RuleBasedStateMachine):
    """Does the same to both stores. Etags differ by chance, so each store is given its own."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.database = open_database(Path(self.folder.name))
        self.stores = (MemoryResourceStore(), SqliteResourceStore(self.database))

    def teardown(self) -> None:
        """Close what this run has opened."""
        self.runner.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(
        resource_id=IDS,
        resource_type=TYPES,
        value=JSON,
        expected=st.sampled_from(["any", "nothing", "present", "wrong"]),
    )
    def put(self, resource_id: str, resource_type: str, value: object, expected: str) -> None:
        """Write with every kind of expectation."""
        name = resource_id.rsplit("/", 1)[-1]
        resource = Resource(resource_id, resource_type, name, {"value": value})

        async def write(store: MemoryResourceStore | SqliteResourceStore) -> Resource:
            present = await store.get(resource_id)
            etag = {"any": None, "nothing": "", "wrong": "wrong"}.get(
                expected, present.etag if present else "gone"
            )
            return await store.put(resource, expected_etag=etag)

        memory, sqlite = (self.outcome(write(store)) for store in self.stores)
        assert memory == sqlite

    @rule(resource_id=IDS)
    def delete(self, resource_id: str) -> None:
        """Remove a subtree."""
        memory, sqlite = (self.outcome(store.delete(resource_id)) for store in self.stores)
        assert memory == sqlite

    @rule(resource_id=IDS)
    def get(self, resource_id: str) -> None:
        """Read one."""
        memory, sqlite = (self.outcome(store.get(resource_id)) for store in self.stores)
        assert memory == sqlite

    @rule(parent_id=IDS, resource_type=TYPES)
    def list_under(self, parent_id: str, resource_type: str) -> None:
        """Read a part."""
        memory, sqlite = (
            self.outcome(store.list_under(parent_id, resource_type)) for store in self.stores
        )
        assert memory == sqlite

    @invariant()
    def all_is_equal(self) -> None:
        """Whatever was done, both hold the same."""
        for resource_type in ("T/x", "T/x/y"):
            self.list_under("", resource_type)

    def outcome(self, asked: Coroutine[Any, Any, Any]) -> bytes:
        """What came of a call, but for etags, which are random, as comparable bytes."""
        try:
            answer = self.runner.run(asked)
        except LinariteError as error:
            return f"{type(error).__name__}: {error}".encode()
        if isinstance(answer, list):
            return b"\n".join(map(self.without_etag, answer))
        return self.without_etag(answer)

    def without_etag(self, answer: object) -> bytes:
        """JSON bytes, in which not-a-number equals itself."""
        if isinstance(answer, Resource):
            assert answer.etag
            answer = msgspec.structs.replace(answer, etag="")
        return msgspec.json.encode(answer)


ResourceStores.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestResourceStores = ResourceStores.TestCase
