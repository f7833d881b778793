"""Lists that are read in parts while others write: who stays is told once, in order."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.contract.sdk.conftest import client_of
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from openai import OpenAI

    from tests.serving import Server

STAY = 6
BATCHES = """
[[deployments]]
name = "later"
model = "gpt-4o"
sku = "GlobalBatch"
instance = "simulated"
"""
LINE = (
    b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", '
    b'"body": {"model": "later", "messages": [{"role": "user", "content": "Hi"}]}}\n'
)
CHATS = "/v1/chat/completions"


class Kind(NamedTuple):
    """A kind of object: how one is made, listed and deleted."""

    make: Callable[[], str]
    """the id of a new one"""
    parts: Callable[[str], Iterable[Any]]
    """all of them in an order, two at a time"""
    delete: Callable[[str], object] | None
    """None where they can't be"""


def files(client: OpenAI) -> Kind:
    """Of an account."""
    return Kind(
        lambda: client.files.create(file=("a.txt", b"text"), purpose="user_data").id,
        lambda order: client.files.list(limit=2, order=_order(order)),
        client.files.delete,
    )


def batches(client: OpenAI) -> Kind:
    """They have no order but the newest first, and stay."""
    asked = client.files.create(file=("a.jsonl", LINE), purpose="batch").id

    def make() -> str:
        return client.batches.create(
            input_file_id=asked, endpoint=CHATS, completion_window="24h"
        ).id

    def parts(order: str) -> Iterable[Any]:
        newest_first = client.batches.list(limit=2)
        return newest_first if order == "desc" else reversed(list(newest_first))

    return Kind(make, parts, None)


def items(client: OpenAI) -> Kind:
    """Of a conversation."""
    of = client.conversations.create().id

    def make() -> str:
        item: Any = {"type": "message", "role": "user", "content": "Hi"}
        return str(client.conversations.items.create(of, items=[item]).data[0].id)

    return Kind(
        make,
        lambda order: client.conversations.items.list(of, limit=2, order=_order(order)),
        lambda gone: client.conversations.items.delete(gone, conversation_id=of),
    )


def stored_completions(client: OpenAI) -> Kind:
    """Of an account."""
    return Kind(
        lambda: (
            client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], store=True
            ).id
        ),
        lambda order: client.chat.completions.list(limit=2, order=_order(order)),
        client.chat.completions.delete,
    )


def vector_stores(client: OpenAI) -> Kind:
    """Of an account."""
    return Kind(
        lambda: client.vector_stores.create(name="a").id,
        lambda order: client.vector_stores.list(limit=2, order=_order(order)),
        client.vector_stores.delete,
    )


def files_of_a_store(client: OpenAI) -> Kind:
    """Each made of one file of the account."""
    of = client.vector_stores.create(name="files").id

    def make() -> str:
        file = client.files.create(file=("a.txt", b"text"), purpose="assistants").id
        return client.vector_stores.files.create(of, file_id=file).id

    return Kind(
        make,
        lambda order: client.vector_stores.files.list(of, limit=2, order=_order(order)),
        lambda gone: client.vector_stores.files.delete(gone, vector_store_id=of),
    )


def _order(order: str) -> Any:  # noqa: ANN401 - the client's literal
    return order


KINDS = (files, batches, items, stored_completions, vector_stores, files_of_a_store)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all kinds."""
    yield from serving(tmp_path_factory.mktemp("lists"), SIMULATED + BATCHES)


@contextmanager
def others_write(kind: Kind, spare: list[str]) -> Iterator[list[str]]:
    """Meanwhile somebody makes new ones, deletes them, and deletes those to spare."""
    over = threading.Event()
    made: list[str] = []

    def write() -> None:
        while not over.is_set():
            made.append(kind.make())
            if kind.delete is not None:
                kind.delete(spare.pop() if spare else made[-1])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield made
    finally:
        over.set()
        writer.join()


@pytest.mark.parametrize("kind_of", KINDS)
def test_who_stays_is_told_once(server: Server, kind_of: Callable[[OpenAI], Kind]) -> None:
    """In the order of making, or the other way around; nobody is told twice."""
    with client_of(server, "v1") as client:
        kind = kind_of(client)
        stay: list[str] = []
        spare: list[str] = []
        for at in range(2 * STAY):
            goes = kind.delete is not None and at % 2 == 0
            (spare if goes else stay).append(kind.make())
        with others_write(kind, spare) as made:
            for order in ("asc", "desc"):
                told = [str(each.id) for each in kind.parts(order)]
                assert len(told) == len(set(told))
                known = [each for each in told if each in stay]
                assert known == (stay if order == "asc" else stay[::-1])
        assert made
