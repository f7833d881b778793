"""A data plane on a real socket, in this process, with engines that follow a script."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controls.authenticate.audiences import DATA_AUDIENCES
from linarite.controls.authenticate.options import Tokens
from linarite.controls.authenticate.verifier import Verifier
from linarite.controls.authorize.book import AccessBook
from linarite.controls.network import rules_of
from linarite.controls.quota import LendingLedger, Limiter
from linarite.controls.usage_limits.watched_ledger import WatchedLedger
from linarite.dataplane.call import OperationKit
from linarite.dataplane.facts import FactsBook
from linarite.dataplane.http import DataPlane
from linarite.dataplane.key_door import KeyDoor
from linarite.dataplane.options import Limits
from linarite.dataplane.pipeline import Surface, no_price
from linarite.dataplane.router import Router
from linarite.dataplane.routes import ROUTES
from linarite.dataplane.sockets.door import SocketDoor
from linarite.dataplane.sockets.options import WebSockets
from linarite.dataplane.subjects import usage_buckets
from linarite.dataplane.token_door import TokenDoor
from linarite.domain.application_key import APPLICATION_KEY_TYPE, KEY_ID
from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.domain.completion import CompletionChoice, CompletionEvent
from linarite.domain.embedding import EmbeddingEvent
from linarite.domain.engine import Capabilities, InstanceSpec
from linarite.domain.request_record import RequestRecord
from linarite.domain.resource import AccountKeys, Resource
from linarite.domain.usage import usage_of
from linarite.domain.usage_limits import USAGE_LIMIT_TYPE
from linarite.hosting.declared import declare
from linarite.hosting.host import Host
from linarite.hosting.instance import Instance
from linarite.hosting.options import AccountSettings, DeploymentSettings, InstanceSettings
from linarite.storage.memory.keys import MemoryKeyStore
from linarite.storage.memory.resources import MemoryResourceStore
from linarite.web.edge import Edge
from linarite.web.listener import Listener
from linarite.web.options import Server
from tests.dataplane.stored import kit_in_memory
from tests.web.wire import Answer, exchange, get_lines

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

    from linarite.dataplane.call import Call
    from linarite.domain.chat import ChatAsk
    from linarite.domain.completion import CompletionAsk
    from linarite.domain.embedding import EmbeddingAsk
    from linarite.domain.facts import Deployment, Facts
    from linarite.domain.ledger import Bucket, Ledger
    from linarite.domain.principal import TokenVerifier
    from linarite.domain.usage import Usage
    from linarite.responses.prompts import PromptBook

GA = "2024-10-21"
WAIT_S = 10.0
"""longer than anything here takes, even on a busy machine"""

ABLE = Capabilities(
    chat_completion=True,
    completion=True,
    embeddings=True,
    embedding_dimensions=8,
    parallel_requests=64,
    reads_files=True,
)


async def greeting(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """The usual answer: a role, three pieces, an end with usage."""
    del ask
    yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(role="assistant"))])
    for piece in ("Hello", " there", "!"):
        yield ChatEvent(choices=[ChatChoice(delta=ChatDelta(content=piece))])
    yield ChatEvent(choices=[ChatChoice(finish_reason="stop")], usage=usage_of(3, 4, 1))


class ScriptedEngine:
    """An engine whose chat is a given generator; it tells what became of its requests."""

    def __init__(
        self,
        script: Callable[[ChatAsk], AsyncGenerator[ChatEvent, None]] = greeting,
        able: Capabilities = ABLE,
    ) -> None:
        self.script = script
        self.able = able
        self.asked: list[Any] = []
        self.opened = 0
        self.closed = 0
        self.died = asyncio.Event()

    async def start(self, progress: Callable[[float, str], None]) -> Capabilities:
        """Ready at once."""
        progress(1.0, "ready")
        return self.able

    async def wait_exit(self) -> str:
        """Live until told to die."""
        await self.died.wait()
        return "told to die"

    async def stop(self, grace_s: float) -> None:
        """Nothing to free."""

    async def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Play the script."""
        self.asked.append(ask)
        self.opened += 1
        try:
            async with aclosing(self.script(ask)) as events:
                async for event in events:
                    yield event
        finally:
            self.closed += 1

    async def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """One word for every choice."""
        self.asked.append(ask)
        wanted = len(ask.prompts) * (ask.n or 1)
        for index in range(wanted):
            yield CompletionEvent(choices=[CompletionChoice(text="word", index=index)])
        yield CompletionEvent(
            choices=[
                CompletionChoice(index=index, finish_reason="stop") for index in range(wanted)
            ],
            usage=usage_of(2, wanted),
        )

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Eight zeros and ones for every input."""
        self.asked.append(ask)
        vector = b"\x00\x00\x80\x3f" + b"\x00" * 28
        return EmbeddingEvent(vectors=[vector] * len(ask.inputs), usage=usage_of(5, 0))


class Rig(msgspec.Struct, frozen=True):
    """What a test gets hold of."""

    url: str
    port: int
    app: Edge
    dataplane: DataPlane
    listener: Listener
    engine: ScriptedEngine
    instance: Instance
    facts: FactsBook
    resources: MemoryResourceStore
    keys: AccountKeys
    other_keys: AccountKeys
    """of the account `other`, which is there when `accounts` is 2"""
    records: list[RequestRecord]
    key_store: MemoryKeyStore
    key_door: KeyDoor
    kit: OperationKit

    @property
    def account_id(self) -> str:
        """The account `linarite`."""
        return self.facts.for_account("linarite").account.id

    async def give_key(self, name: str, **properties: Any) -> str:  # noqa: ANN401 - any JSON
        """Put an application's key of those properties, as the control plane would; a new key."""
        key_id = f"id-of-{name}"
        await self.resources.put(
            Resource(
                id=f"{self.account_id}/providers/{APPLICATION_KEY_TYPE}/{name}",
                type=APPLICATION_KEY_TYPE,
                name=name,
                properties=properties | {KEY_ID: key_id},
            )
        )
        key = await self.key_store.applications.make(self.account_id, key_id)
        await self.facts.read_anew(self.account_id)
        return key

    async def limit(self, name: str, kind: str, subject: str = "", **said: Any) -> None:  # noqa: ANN401 - any JSON
        """Set a usage limit on the account, as the control plane would."""
        applies = {"kind": kind} | ({"name": subject} if subject else {})
        await self.resources.put(
            Resource(
                id=f"{self.account_id}/providers/{USAGE_LIMIT_TYPE}/{name}",
                type=USAGE_LIMIT_TYPE,
                name=name,
                properties={"appliesTo": applies, **said},
            )
        )
        await self.facts.read_anew(self.account_id)

    async def send(
        self,
        method: str,
        target: str,
        body: Any = None,  # noqa: ANN401 - any JSON, or bytes as they are
        *,
        headers: Sequence[tuple[str, str]] = (),
        key: str | None = "",
        own_host: bool = True,
    ) -> Answer:
        """One request on a connection of its own; `key` "" means key1, None means none.

        Without `own_host`, `headers` have the Host.
        """
        lines = [("host", "localhost"), *headers] if own_host else [*headers]
        if key is not None:
            lines.append(("api-key", key or self.keys.key1))
        payload = b""
        if body is not None:
            payload = body if isinstance(body, bytes) else msgspec.json.encode(body)
            if not any(name.lower() == "content-type" for name, _ in headers):
                lines.append(("content-type", "application/json"))
            if not any(name.lower() == "transfer-encoding" for name, _ in headers):
                lines.append(("content-length", str(len(payload))))
        head = get_lines(method, target, lines)
        async with asyncio.timeout(WAIT_S):
            return await exchange(self.port, head + payload, method=method)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def chat(self, body: Any, **more: Any) -> Answer:  # noqa: ANN401 - as `send`
        """A chat request on the dated path."""
        return await self.send("POST", CHAT, body, **more)

    async def chat_at(self, target: str, body: Any = None, **more: Any) -> Answer:  # noqa: ANN401 - as `send`
        """A chat request, `hello` if nothing else, to any target."""
        return await self.send("POST", target, HELLO if body is None else body, **more)

    async def recorded(self, count: int = 1) -> RequestRecord:
        """The newest record, once there are `count` of them."""
        await until(lambda: len(self.records) >= count)
        return self.records[-1]


CHAT = f"/openai/deployments/gpt/chat/completions?api-version={GA}"
COMPLETIONS = f"/openai/deployments/gpt/completions?api-version={GA}"
EMBEDDINGS = f"/openai/deployments/gpt/embeddings?api-version={GA}"
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}


async def until(true: Callable[[], bool], wait_s: float = WAIT_S) -> None:
    """Return once a condition holds; fail after `wait_s`."""
    async with asyncio.timeout(wait_s):
        while not true():  # noqa: ASYNC110 - any condition, of code that tells nobody
            await asyncio.sleep(0.005)


@asynccontextmanager
async def rig(
    engine: ScriptedEngine | None = None,
    *,
    policy: InstanceSettings | None = None,
    limits: Limits | None = None,
    server: Server | None = None,
    accounts: int = 1,
    deployments: Sequence[str] = ("gpt",),
    tokens: TokenVerifier | None = None,
    now: Callable[[], float] = time.time,
    limiter: Limiter | None = None,
    capacity: int = 0,
    ledger: Ledger | None = None,
    lending: Ledger | None = None,
    buckets_for: Callable[[Call, Facts], Sequence[Bucket]] = usage_buckets,
    cost_of: Callable[[Deployment | None, str, Usage], int] = no_price,
    trusted: frozenset[str] = frozenset(),
    sockets: WebSockets | None = None,
    prompts: PromptBook | None = None,
) -> AsyncIterator[Rig]:
    """A server with an account `linarite`, and its deployments on one scripted engine.

    A `ledger` is watched for thresholds, one that is `lending` has pools that do; each stands for
    a limiter.
    """
    engine = engine or ScriptedEngine()
    resources, key_store = MemoryResourceStore(), MemoryKeyStore()
    declared = [
        DeploymentSettings(
            name=name,
            model="gpt-4o",
            model_version="2024-11-20",
            instance="one",
            capacity=capacity,
        )
        for name in deployments
    ]
    keys = await key_store.ensure(await declare(resources, AccountSettings(), declared))
    other_keys = keys
    if accounts > 1:
        other = AccountSettings(name="other", resource_group="elsewhere")
        await put_foreign_account(resources, other.name)
        other_keys = await key_store.ensure(foreign_account_id(other.name))
    facts = FactsBook(
        resources,
        key_store,
        network_rules_of=lambda account: rules_of(account.properties, lambda _subnet: (), trusted),
    )
    await facts.refresh()

    async def build(spec: InstanceSpec) -> ScriptedEngine:
        del spec
        return engine

    instance = Instance(
        InstanceSpec(name="one", engine="scripted", model="gpt-4o"),
        build,
        policy or InstanceSettings(),
    )
    host = Host({"one": instance})
    limits = limits or Limits()
    kit = kit_in_memory(
        host.capabilities_of,
        accept_unknown_arguments=limits.accept_unknown_arguments,
        keys=key_store,
    )
    if prompts is not None:
        kit = msgspec.structs.replace(kit, prompts=prompts)
    records: list[RequestRecord] = []
    access = AccessBook(resources, lambda: datetime.now(UTC))
    await access.refresh()
    resources.subscribe(access.follow)
    door = TokenDoor(tokens or Verifier(Tokens()), DATA_AUDIENCES, access)
    key_door = KeyDoor(access, now=now)
    if ledger is not None:
        limiter = Limiter(ledger=WatchedLedger(ledger, facts.limit_desk.watch))
    if lending is not None:
        limiter = Limiter(ledger=LendingLedger(lending, lambda: facts.lending))
    limiter = limiter or Limiter("off")
    surface = Surface(
        facts=facts,
        digest=key_store.digest,
        host=host,
        limiter=limiter,
        door=door,
        key_door=key_door,
        buckets_for=buckets_for,
        cost_of=cost_of,
    )
    router = Router(ROUTES, kit)
    dataplane = DataPlane(router, surface, limits, records.append)
    app = Edge({}, SocketDoor(dataplane, router, kit, sockets or WebSockets(), limits))
    listener = Listener(app, server or Server(port=0))
    await listener.open()
    try:
        yield Rig(
            url=listener.url,
            port=listener.port,
            app=app,
            dataplane=dataplane,
            listener=listener,
            engine=engine,
            instance=instance,
            facts=facts,
            resources=resources,
            keys=keys,
            other_keys=other_keys,
            records=records,
            key_store=key_store,
            key_door=key_door,
            kit=kit,
        )
    finally:
        await listener.close(0)
        await host.stop(0)


def foreign_account_id(name: str) -> str:
    """The id of an account that settings do not declare."""
    return (
        "/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups/elsewhere"
        f"/providers/Microsoft.CognitiveServices/accounts/{name}"
    )


async def put_foreign_account(store: MemoryResourceStore, name: str) -> None:
    """An account with a deployment `theirs`, as a control plane would write them."""
    account = foreign_account_id(name)
    await store.put(
        Resource(
            id=account,
            type="Microsoft.CognitiveServices/accounts",
            name=name,
            location="elsewhere",
            system_data={"createdBy": "somebody@example.com"},
        )
    )
    await store.put(
        Resource(
            id=f"{account}/deployments/theirs",
            type="Microsoft.CognitiveServices/accounts/deployments",
            name="theirs",
            sku={"name": "Standard", "capacity": 1},
            properties={
                "model": {"format": "OpenAI", "name": "gpt-4o", "version": "1"},
                "instance": "one",
            },
            system_data={"createdBy": "somebody@example.com"},
        )
    )
