"""What accounts allow of their own, beside the server's lists."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.controls.egress import EgressDialer, EgressPolicy, OutboundLists, PurposeHosts
from linarite.domain.arm_id import RESOURCE_GROUP_TYPE
from linarite.domain.dial import PURPOSES, Errand
from linarite.domain.errors import EgressRefused
from linarite.domain.resource import ACCOUNT_TYPE, Resource
from linarite.storage.memory.resources import MemoryResourceStore
from tests.cli.terminal import linarite
from tests.controls.egress.test_dialer import Names, greeter, hear
from tests.fake_upstream import FakeUpstream, serving
from tests.serving import start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.anyio

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = "/subscriptions/S/resourceGroups/g"
ONE = f"{GROUP}/providers/{ACCOUNT_TYPE}/one"
OTHER = f"{GROUP}/providers/{ACCOUNT_TYPE}/other"


def account(account_id: str, allowed: Sequence[str] | None, *, restricts: bool = True) -> Resource:
    """An account with such a list."""
    properties: dict[str, Any] = {"restrictOutboundNetworkAccess": restricts}
    if allowed is not None:
        properties["allowedFqdnList"] = list(allowed)
    return Resource(id=account_id, type=ACCOUNT_TYPE, name="one", properties=properties)


async def lists_over(*accounts: Resource) -> tuple[OutboundLists, MemoryResourceStore]:
    """The lists of these accounts, kept up with their store."""
    store = MemoryResourceStore()
    for each in accounts:
        await store.put(each)
    lists = OutboundLists(store)
    await lists.refresh()
    store.subscribe(lists.follow)
    return lists, store


@pytest.mark.parametrize(
    ("allowed", "host", "passes"),
    [
        (["models.example.com"], "models.example.com", True),
        (["Models.Example.com."], "models.example.com", True),
        (["models.example.com"], "a.models.example.com", False),
        (["*.example.com"], "a.example.com", True),
        (["*.example.com"], "example.com", False),
        (["10.1.2.3"], "10.1.2.3", True),
        (["10.1.2.3"], "10.1.2.4", False),
        (["*.2.3"], "10.1.2.3", False),
        (["bücher.example"], "xn--bcher-kva.example", True),
        ([], "models.example.com", False),
        (None, "models.example.com", False),
        (["a b", "models.example.com"], "models.example.com", False),
    ],
)
async def test_a_list_allows_what_it_names(
    allowed: list[str] | None, host: str, *, passes: bool
) -> None:
    """An entry names a host, names below one, or an address; one that is broken closes all."""
    lists, _ = await lists_over(account(ONE, allowed))
    if passes:
        lists.require_host(ONE.upper(), host, 443)
        return
    with pytest.raises(EgressRefused, match="allowedFqdnList of the account") as refused:
        lists.require_host(ONE.upper(), host, 443)
    assert refused.value.rule == "allowedFqdnList"


async def test_only_restricting_accounts_are_restricted() -> None:
    """A list without the switch does nothing; another account's list is not this one's."""
    lists, _ = await lists_over(account(ONE, [], restricts=False), account(OTHER, ["b.example"]))
    lists.require_host(ONE, "a.example", 443)
    lists.require_host("/an/unknown/one", "a.example", 443)
    with pytest.raises(EgressRefused):
        lists.require_host(OTHER, "a.example", 443)


async def test_lists_follow_every_change() -> None:
    """Switched on, changed, switched off, deleted with its group: each acts at once."""
    lists, store = await lists_over(account(ONE, ["a.example"], restricts=False))
    lists.require_host(ONE, "b.example", 443)
    await store.put(account(ONE, ["a.example"]))
    with pytest.raises(EgressRefused):
        lists.require_host(ONE, "b.example", 443)
    await store.put(account(ONE, ["b.example"]))
    lists.require_host(ONE, "b.example", 443)
    with pytest.raises(EgressRefused):
        lists.require_host(ONE, "a.example", 443)
    await store.put(Resource(id=GROUP, type=RESOURCE_GROUP_TYPE, name="g"))
    assert await store.delete(GROUP)
    lists.require_host(ONE, "a.example", 443)


async def test_both_lists_must_allow() -> None:
    """What the account allows and the server does not is as forbidden as the reverse."""
    lists, _ = await lists_over(account(ONE, ["a.example", "c.example"]))
    dialer = EgressDialer(
        EgressPolicy(named_hosts=frozenset({"a.example", "b.example"})),
        account_rules=(lists,),
        resolve=Names("127.0.0.1"),
    )
    errand = Errand("upstream", ONE)
    async with greeter() as (port, greeted):
        assert await hear(dialer, "a.example", port, errand=errand) == b"hello"
        for host, rule in (("b.example", "allowedFqdnList"), ("c.example", "allowed_hosts")):
            with pytest.raises(EgressRefused) as refused:
                await hear(dialer, host, port, errand=errand)
            assert refused.value.rule == rule
        assert await hear(dialer, "b.example", port) == b"hello", "the server's own errand"
        assert len(greeted) == 2
    assert dialer.refused_count == {
        ("upstream", "allowedFqdnList"): 1,
        ("upstream", "allowed_hosts"): 1,
    }


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_what_is_named_for_one_purpose_is_not_for_others(purpose: str) -> None:
    """An issuer can't have its keys read from an upstream's host, and so on."""
    policy = EgressPolicy(
        purposes={each: PurposeHosts((), frozenset({f"{each}.example"})) for each in PURPOSES}
    )
    dialer = EgressDialer(policy, resolve=Names("127.0.0.1"))
    async with greeter() as (port, greeted):
        for errand in map(Errand, PURPOSES):
            if errand.purpose == purpose:
                assert await hear(dialer, f"{purpose}.example", port, errand=errand) == b"hello"
                continue
            with pytest.raises(EgressRefused, match=rf"egress\.{errand.purpose}\.allowed_hosts"):
                await hear(dialer, f"{purpose}.example", port, errand=errand)
        assert len(greeted) == 1


async def test_an_entry_may_name_a_port() -> None:
    """Then no other port of that host is allowed."""
    policy = EgressPolicy(
        allowed_hosts=("a.example:443", "*.b.example:8443", "[2001:db8::1]:443"),
    )
    dialer = EgressDialer(policy, resolve=Names("127.0.0.1"))
    for host, port, rule in (
        ("a.example", 443, "address"),  # the name passed, its address did not
        ("a.example", 80, "allowed_hosts"),
        ("x.b.example", 8443, "address"),
        ("x.b.example", 443, "allowed_hosts"),
        ("2001:db8::1", 443, "address"),
        ("2001:db8::1", 80, "allowed_hosts"),
    ):
        with pytest.raises(EgressRefused) as refused:
            await hear(dialer, host, port)
        assert refused.value.rule == rule, (host, port)


def settings_of(base_url: str) -> str:
    """A server whose one deployment is answered by an upstream, over one kept connection."""
    return f"""
[[deployments]]
name = "gpt-4o"
model = "there"
[instances.there]
engine = "upstream"
options = {{ base_url = "{base_url}", parallel_requests = 1, keep_alive_s = 60, retries = 0 }}
"""


async def test_an_account_closes_and_opens_its_way_to_an_upstream(tmp_path: Path) -> None:
    """At once, on the connection that is open already; the refusal says what to change."""
    fake = FakeUpstream()
    async with serving(fake) as base_url:
        starting = asyncio.to_thread(start_server, tmp_path, settings_of(base_url))
        with stopped(await starting) as server:
            chat = f"{server.endpoint}/openai/deployments/gpt-4o/chat/completions"
            manage = {"authorization": f"Bearer {server.ready['management_key']}"}
            body = {"messages": [{"role": "user", "content": "Hi"}]}
            async with httpx.AsyncClient(timeout=30) as client:

                async def ask() -> httpx.Response:
                    return await client.post(
                        chat,
                        json=body,
                        params={"api-version": "2024-10-21"},
                        headers={"api-key": server.key},
                    )

                version = {"api-version": "2025-09-01"}
                listed = await client.get(
                    f"{server.endpoint}/subscriptions/{SUBSCRIPTION}/providers/{ACCOUNT_TYPE}",
                    params=version,
                    headers=manage,
                )
                declared = server.endpoint + listed.json()["value"][0]["id"]

                async def say(**properties: object) -> httpx.Response:
                    return await client.patch(
                        declared, params=version, headers=manage, json={"properties": properties}
                    )

                assert (await ask()).status_code == 200
                said = await say(restrictOutboundNetworkAccess=True, allowedFqdnList=[])
                assert said.status_code == 200, said.text
                refused = await ask()
                assert refused.status_code == 403
                error = refused.json()["error"]
                assert error["code"] == "OutboundAccessDenied"
                assert "Add '127.0.0.1' to properties.allowedFqdnList" in error["message"]
                await say(allowedFqdnList=["127.0.0.1"])
                assert (await ask()).status_code == 200
                await say(restrictOutboundNetworkAccess=False, allowedFqdnList=[])
                assert (await ask()).status_code == 200
                await asyncio.sleep(1)
                logged = await client.get(
                    f"{declared}/providers/Linarite.Operations/networkLog",
                    params={"api-version": "2026-11-01"},
                    headers=manage,
                )
                (entry,) = logged.json()["value"]
                assert (entry["Count"], entry["Category"]) == (1, "EgressRefused")
                assert (entry["OperationName"], entry["DestinationFqdn"]) == (
                    "upstream",
                    "127.0.0.1",
                )
                assert (entry["RuleType"], entry["MatchedRule"]) == ("PaaS", "allowedFqdnList")
                said_there = await asyncio.to_thread(
                    linarite, tmp_path, "egress", "refused", "--account", "linarite"
                )
                assert "allowedFqdnList" in said_there.stdout, said_there
                metrics = (await client.get(f"{server.endpoint}/metrics")).text
            assert len(fake.seen) == 3
            assert (
                'linarite_egress_refused_total{purpose="upstream",rule="allowedFqdnList"} 1'
                in metrics
            )
