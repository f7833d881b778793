"""What the control plane takes when it holds much: start-up, reads, a write, memory.

One deployment and one blocklist item are made by the API, as clients make them, and measured; then
copies of them are put into the data folder while no server runs, and the same is measured again.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from bench.fake_upstream import MODEL
from bench.processes import running_on, until_listening
from bench.results import Measured
from bench.rows.fake import FakeRow
from bench.rows.linarite import CONFIG, launch, ready_target
from bench.rows.row import free_port
from bench.statistics_of import median_of, percentile
from bench.tables import milliseconds, number, table
from linarite.domain.resource import Put, Resource
from linarite.storage.database import open_database
from linarite.storage.sqlite.resources import SqliteResourceStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.options import ResourcesPlan

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
ACCOUNT = (
    f"{SUBSCRIPTION}/resourceGroups/linarite/providers/Microsoft.CognitiveServices/accounts/seed"
)
DEPLOYMENT = f"{ACCOUNT}/deployments/d0"
BLOCKLIST = f"{ACCOUNT}/raiBlocklists/words"
ITEM = f"{BLOCKLIST}/raiBlocklistItems/i0"
VERSION = "api-version=2025-09-01"
RESOURCES_VERSION = "api-version=2024-11-01"
BATCH = 500
MIB = 2**20
ANSWER_S = 60.0
READINGS = {
    "get_s": "GET of a deployment, ms",
    "list_accounts_s": "list of all accounts, ms",
    "list_deployments_s": "list of an account's deployments, ms",
    "list_items_s": "first page of a blocklist's items (200), ms",
    "usages_s": "usages of the region, ms",
    "put_s": "PUT of a blocklist item, ms",
}


class Caller:
    """One connection to the control plane of a running server."""

    def __init__(self, home: Path) -> None:
        serving = json.loads((home / "ready.json").read_text(encoding="utf-8"))
        parts = urlsplit(serving["endpoint"])
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=ANSWER_S)
        self._headers = {
            "authorization": f"Bearer {serving['management_key']}",
            "content-type": "application/json",
        }

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """A good answer's body. Raises AssertionError for any other."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, path, body=content, headers=self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 201), f"{method} {path}: {answer.status} {text[:300]!r}"
        return json.loads(text)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


async def measure(
    scratch: Path,
    plan: ResourcesPlan,
    cores: tuple[set[int], set[int]],
    tell: Callable[[str], None],
) -> list[Measured]:
    """A server that holds next to nothing, and one that holds much. Raises Unavailable."""
    gateway_core, load_cores = cores
    home = scratch / "resources"
    fake = FakeRow()
    try:
        await fake.start(scratch, 0, load_cores)
        config = CONFIG.format(model=MODEL, upstream_port=fake.target.port)
        with running_on(load_cores):
            tell("resources: making the first ones")
            await _once(home, config, gateway_core, make_first)
            few, many = Measured("few resources"), Measured(f"{plan.resources:,} resources")
            await _measure(home, config, gateway_core, few, plan)
            tell(f"resources: {plan.resources:,} of them, {plan.deployments:,} deployments")
            await fill(home, plan)
            await _measure(home, config, gateway_core, many, plan)
    finally:
        fake.stop()
    return [few, many]


async def _measure(
    home: Path, config: str, core: set[int], into: Measured, plan: ResourcesPlan
) -> None:
    for _ in range(plan.starts):
        port, began = free_port(), time.perf_counter()
        server = launch(home, config, port=port, cores=core)
        try:
            await until_listening(port, server, 120)
            into.note(to_port_s=time.perf_counter() - began)
            await ready_target(home, server, MODEL)
            into.note(to_ready_s=time.perf_counter() - began)
            caller = Caller(home)
            measured = await asyncio.to_thread(readings, caller, plan.requests)
            for metric, seconds in measured.items():
                into.rounds.setdefault(metric, []).extend(seconds)
            into.note(bytes=float(server.rss_bytes()))
            caller.close()
        finally:
            server.stop()


async def _once(home: Path, config: str, core: set[int], act: Callable[[Caller], None]) -> None:
    server = launch(home, config, cores=core)
    try:
        await ready_target(home, server, MODEL)
        caller = Caller(home)
        await asyncio.to_thread(act, caller)
        caller.close()
    finally:
        server.stop()


def make_first(caller: Caller) -> None:
    """An account with a deployment and a blocklist item, made as clients make them."""
    sku = {"name": "S0"}
    caller.ask(
        "PUT",
        f"{ACCOUNT}?{VERSION}",
        {"location": "local", "kind": "OpenAI", "sku": sku, "properties": {}},
    )
    caller.ask(
        "PUT",
        f"{DEPLOYMENT}?{VERSION}",
        {
            "sku": {"name": "GlobalStandard", "capacity": 1},
            "properties": {"model": {"format": "OpenAI", "name": MODEL}},
        },
    )
    give_up_at = time.monotonic() + ANSWER_S
    while caller.ask("GET", f"{DEPLOYMENT}?{VERSION}")["properties"]["provisioningState"] not in (
        "Succeeded",
        "Failed",
    ):
        assert time.monotonic() < give_up_at, "the first deployment was not made"
        time.sleep(0.05)
    caller.ask("PUT", f"{BLOCKLIST}?{VERSION}", {"properties": {"description": "words"}})
    caller.ask("PUT", f"{ITEM}?{VERSION}", {"properties": {"pattern": "x", "isRegex": False}})


async def fill(home: Path, plan: ResourcesPlan) -> None:
    """Copy what the API has made, while no server has the folder."""
    database = open_database(home)
    try:
        store = SqliteResourceStore(database)
        first = {path: await store.get(path) for path in (ACCOUNT, DEPLOYMENT, BLOCKLIST, ITEM)}
        kept = {path: found for path, found in first.items() if found is not None}
        assert len(kept) == len(first), "what the API made is not in the data folder"
        everything = [Put(each) for each in copies(kept, plan)]
        for begin in range(0, len(everything), BATCH):
            await store.commit(everything[begin : begin + BATCH])
    finally:
        await database.close()


def copies(first: dict[str, Resource], plan: ResourcesPlan) -> Iterator[Resource]:
    """Accounts with an equal share of the deployments and of the items each."""
    for place in range(plan.accounts):
        account = f"{ACCOUNT}-{place}"
        yield copy_of(first[ACCOUNT], account)
        yield copy_of(first[BLOCKLIST], account + BLOCKLIST[len(ACCOUNT) :])
        for number_ in range(plan.deployments // plan.accounts):
            yield copy_of(first[DEPLOYMENT], f"{account}/deployments/d{number_}")
        items = plan.resources // plan.accounts - plan.deployments // plan.accounts - 2
        for number_ in range(items):
            where = f"{account}{BLOCKLIST[len(ACCOUNT) :]}/raiBlocklistItems/i{number_}"
            yield copy_of(first[ITEM], where)


def copy_of(resource: Resource, resource_id: str) -> Resource:
    """The resource at another place."""
    return msgspec.structs.replace(
        resource, id=resource_id, name=resource_id.rpartition("/")[2], etag=""
    )


def readings(caller: Caller, requests: int) -> dict[str, list[float]]:
    """Seconds of each kind of request, one after the other."""
    accounts = ACCOUNT.rpartition("/")[0]
    fullest = caller.ask("GET", f"{accounts}?{VERSION}")["value"][-1]["id"]
    region = f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/local"
    deployment = f"{fullest}{DEPLOYMENT[len(ACCOUNT) :]}?{VERSION}"
    items = f"{fullest}{BLOCKLIST[len(ACCOUNT) :]}/raiBlocklistItems"
    asks: dict[str, Callable[[], object]] = {
        "get_s": lambda: caller.ask("GET", deployment),
        "list_accounts_s": lambda: caller.ask("GET", f"{accounts}?{VERSION}"),
        "list_deployments_s": lambda: caller.ask("GET", f"{fullest}/deployments?{VERSION}"),
        "list_items_s": lambda: caller.ask("GET", f"{items}?{VERSION}"),
        "usages_s": lambda: caller.ask("GET", f"{region}/usages?{VERSION}"),
        "put_s": lambda: caller.ask(
            "PUT", f"{items}/i0?{VERSION}", {"properties": {"pattern": str(time.time_ns())}}
        ),
    }
    seconds: dict[str, list[float]] = {}
    for metric, ask in asks.items():
        ask()
        for _ in range(requests):
            began = time.perf_counter()
            ask()
            seconds.setdefault(metric, []).append(time.perf_counter() - began)
    return seconds


def resources_table(measured: list[Measured], plan: ResourcesPlan) -> str:
    """A line for each figure, with few resources and with many."""
    rows = [
        ("start to open port", *(_seconds(each, "to_port_s") for each in measured)),
        ("start to ready", *(_seconds(each, "to_ready_s") for each in measured)),
        *(
            (
                f"{title}: {word}",
                *(milliseconds(percentile(each.of(metric), share)) for each in measured),
            )
            for metric, title in READINGS.items()
            for word, share in (("p50", 0.5), ("p99", 0.99))
        ),
        (
            "memory of the process",
            *(number(median_of(each.of("bytes")) / MIB, 1, " MiB") for each in measured),
        ),
    ]
    each = plan.resources // plan.accounts
    return table(
        "Control plane with many resources",
        ("", *(one.name for one in measured)),
        rows,
        f"{plan.deployments:,} deployments and other resources in {plan.accounts} accounts, "
        f"{each:,} in each. One request at a time, on one connection.",
    )


def _reading(measured: Measured, metric: str, share: float) -> str:
    return milliseconds(percentile(measured.of(metric), share))


def _seconds(measured: Measured, metric: str) -> str:
    return number(median_of(measured.of(metric)), 2, " s")
