"""How long a role outlives its removal, under load: `python -m bench.role_removal`.

Clients call chat completions with an access token as fast as they can; meanwhile its only role is
taken away. Told is how long the removal took, when the last call that was still let in had been
sent, and how many calls that were sent after the removal's answer got through: there must be none.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
from joserfc import jwk, jwt

from bench.rows.linarite import launch, ready_target
from bench.rows.linarite_token import CLAIMS, ISSUER
from linarite.controls.authenticate.audiences import DATA_AUDIENCES
from linarite.controls.authenticate.issuers import Issuer
from linarite.controls.authenticate.key_ring import KeyRing, Pace
from linarite.controls.authenticate.options import IssuerSettings, Tokens
from linarite.controls.authenticate.verifier import Verifier
from linarite.controls.authorize.book import AccessBook
from linarite.controls.authorize.built_in_roles import built_in_roles
from linarite.domain.principal import USER, Principal
from linarite.domain.resource import Resource
from linarite.domain.roles import ROLE_ASSIGNMENT_TYPE
from linarite.storage.memory.resources import MemoryResourceStore

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENTS = 16
ROUNDS = 10
LOAD_S = 0.5
OPENAI_USER = next(
    role.id for role in built_in_roles() if role.name == "Cognitive Services OpenAI User"
)
CONFIG = """\
[[deployments]]
name = "gpt-4o"
model = "gpt-4o"
instance = "simulated"

[instances.simulated]
engine = "simulator"
model = "gpt-4o"
"""
CHAT = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
HELLO = {"messages": [{"role": "user", "content": "hello"}], "max_completion_tokens": 4}
SCOPE = "https://cognitiveservices.azure.com/.default"
ROLES = "/providers/Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"


@dataclass
class Round:
    """One removal."""

    calls: int = 0
    let_in: list[float] = field(default_factory=list)
    """when each call was sent that was let in"""
    refused: int = 0
    removal: tuple[float, float] = (0.0, 0.0)
    """sent and answered"""


async def one_round(server: str, bearer: str, manage: httpx.AsyncClient, path: str) -> Round:
    """Load, remove, look on."""
    told = Round()
    over = asyncio.Event()

    async def client() -> None:
        headers = {"authorization": f"Bearer {bearer}"}
        async with httpx.AsyncClient(base_url=server, headers=headers, timeout=30) as calling:
            while not over.is_set():
                sent = time.perf_counter()
                status = (await calling.post(CHAT, json=HELLO)).status_code
                told.calls += 1
                if status == httpx.codes.OK:
                    told.let_in.append(sent)
                else:
                    told.refused += 1

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    await asyncio.sleep(LOAD_S)
    sent = time.perf_counter()
    answer = await manage.delete(path)
    told.removal = (sent, time.perf_counter())
    answer.raise_for_status()
    await asyncio.sleep(LOAD_S)
    over.set()
    await asyncio.gather(*clients)
    return told


async def signed_in(manage: httpx.AsyncClient) -> tuple[str, str]:
    """An application of the server's own directory: its object id and a token."""
    app = (await manage.post("/v1.0/applications", json={"displayName": "load"})).json()
    body = {"appId": app["appId"]}
    principal = (await manage.post("/v1.0/servicePrincipals", json=body)).json()
    secret = (await manage.post(f"/v1.0/applications/{app['id']}/addPassword", json={})).json()
    form = {
        "grant_type": "client_credentials",
        "client_id": app["appId"],
        "client_secret": secret["secretText"],
        "scope": SCOPE,
    }
    answer = await manage.post("/common/oauth2/v2.0/token", data=form)
    return principal["id"], answer.json()["access_token"]


async def measure(ready: dict[str, Any]) -> list[Round]:
    """All rounds against a running server."""
    key = {"authorization": f"Bearer {ready['management_key']}"}
    server = ready["endpoint"]
    rounds: list[Round] = []
    async with httpx.AsyncClient(base_url=server, headers=key, timeout=30) as manage:
        object_id, bearer = await signed_in(manage)
        for _ in range(ROUNDS):
            path = f"{ready['account_id']}{ASSIGNMENTS}/{uuid4()}?api-version=2022-04-01"
            properties = {
                "roleDefinitionId": f"{ROLES}/{OPENAI_USER}",
                "principalId": object_id,
                "principalType": "ServicePrincipal",
            }
            (await manage.put(path, json={"properties": properties})).raise_for_status()
            rounds.append(await one_round(server, bearer, manage, path))
    return rounds


def decide_ns() -> float:
    """What a remembered decision costs."""
    account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"
    store = MemoryResourceStore()
    somebody = str(uuid4())
    given = {"roleDefinitionId": f"{ROLES}/{OPENAI_USER}", "principalId": somebody}
    made = Resource(
        id=f"{account}{ASSIGNMENTS}/1", type=ROLE_ASSIGNMENT_TYPE, name="1", properties=given
    )
    asyncio.run(store.put(made))
    book = AccessBook(store, lambda: datetime.now(UTC))
    asyncio.run(book.refresh())
    groups = frozenset(str(uuid4()) for _ in range(20))
    caller = Principal(kind=USER, name="somebody", object_id=somebody, groups=groups)
    assert book.decide(caller, action, account, is_data=True).allowed
    return best_ns(lambda: book.decide(caller, action, account, is_data=True))


def known_ns() -> float:
    """What it costs to know a token again that was verified before, of usual length."""
    key = jwk.RSAKey.generate_key(2048, {"kid": "bench", "use": "sig"})
    key_set = {"keys": [key.as_dict(private=False)]}
    verifier = Verifier(Tokens())

    async def published() -> dict[str, Any]:
        return key_set

    settings = IssuerSettings(issuer=ISSUER)
    ring = KeyRing("bench", published, verifier.forget, Pace())
    verifier.trust(Issuer("bench", settings, ring), (ISSUER,))
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + 3600}
    token = jwt.encode({"alg": "RS256", "kid": "bench"}, CLAIMS | times, key)
    principal = asyncio.run(verifier.verify(token, DATA_AUDIENCES))
    assert verifier.known(token, DATA_AUDIENCES) is principal
    return best_ns(lambda: verifier.known(token, DATA_AUDIENCES))


def best_ns(call: Callable[[], object]) -> float:
    """The best of five times what a call takes, each the mean of many."""
    count, best = 100_000, float("inf")
    for _ in range(5):
        began = time.perf_counter_ns()
        for _ in range(count):
            call()
        best = min(best, (time.perf_counter_ns() - began) / count)
    return best


def report(rounds: list[Round]) -> str:
    """What has come out."""
    removals = [answered - sent for each in rounds for sent, answered in [each.removal]]
    late = [max(each.let_in) - each.removal[0] for each in rounds]
    through = sum(sum(1 for sent in each.let_in if sent > each.removal[1]) for each in rounds)
    calls = sum(each.calls for each in rounds)
    refused = sum(each.refused for each in rounds)
    lines = [f"{len(rounds)} removals, {CLIENTS} clients, {calls} calls, {refused} refused"]
    for what, times in (
        ("removal, from request to answer", removals),
        ("last call that was let in, sent after the removal's request", late),
    ):
        middle, longest = statistics.median(times) * 1e3, max(times) * 1e3
        lines.append(f"{what}: median {middle:.1f} ms, longest {longest:.1f} ms")
    lines.append(f"calls let in that were sent after the removal's answer: {through}")
    lines.append(f"a token that is known again: {known_ns():.0f} ns")
    lines.append(f"a remembered decision: {decide_ns():.0f} ns")
    return "\n".join(lines)


def main() -> int:
    """Start a server, measure, print; 1 when a call got through that must not."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        started = launch(home, CONFIG)
        try:
            asyncio.run(ready_target(home, started, "gpt-4o"))
            rounds = asyncio.run(measure(json.loads((home / "ready.json").read_text())))
        finally:
            started.stop()
    print(report(rounds))
    return any(sent > each.removal[1] for each in rounds for sent in each.let_in)


if __name__ == "__main__":
    sys.exit(main())
