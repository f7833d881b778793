"""Network security perimeters around a running server's account: in, out, and the access log."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from linarite.controls.network import PerimeterBook, require_way
from linarite.domain.arrival import ANY_WAY, Arrival
from linarite.domain.facts import Account
from linarite.domain.network import OPEN
from linarite.domain.network_errors import PerimeterDenied
from linarite.domain.resource import ACCOUNT_TYPE
from tests.cli.terminal import linarite
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, Rig
from tests.controls.egress.test_outbound import SUBSCRIPTION, settings_of
from tests.fake_upstream import FakeUpstream, serving
from tests.serving import start_server, stopped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.serving import Server

pytestmark = pytest.mark.anyio

HERE = {"direction": "Inbound", "addressPrefixes": ["127.0.0.0/8"]}
ELSEWHERE = {"direction": "Inbound", "addressPrefixes": ["198.51.100.0/24"]}
TO_UPSTREAM = {"direction": "Outbound", "fullyQualifiedDomainNames": ["127.0.0.1"]}


class Site:
    """A server with a perimeter; every request comes from this machine."""

    def __init__(self, server: Server, client: httpx.AsyncClient, account: str) -> None:
        self.server = server
        self.account = account
        self._client = client
        group = account.partition("/providers/")[0]
        self.perimeter = f"{group}/providers/Microsoft.Network/networkSecurityPerimeters/edge"
        self.profile = f"{self.perimeter}/profiles/main"

    async def arm(
        self, method: str, path: str, body: object = None, version: str = "2024-10-01"
    ) -> httpx.Response:
        """Ask the control plane; it must agree."""
        answer = await self._client.request(
            method,
            self.server.endpoint + path,
            params={"api-version": version},
            headers={"authorization": f"Bearer {self.server.ready['management_key']}"},
            json=body,
        )
        assert answer.status_code < 300, answer.text
        return answer

    async def rule(self, name: str, properties: dict[str, Any]) -> None:
        """Write an access rule."""
        await self.arm("PUT", f"{self.profile}/accessRules/{name}", {"properties": properties})

    async def associate(self, mode: str) -> None:
        """Put the account into the perimeter."""
        properties = {
            "privateLinkResource": {"id": self.account},
            "profile": {"id": self.profile},
            "accessMode": mode,
        }
        path = f"{self.perimeter}/resourceAssociations/one"
        await self.arm("PUT", path, {"properties": properties})

    async def ask(self) -> httpx.Response:
        """A chat."""
        return await self._client.post(
            f"{self.server.endpoint}/openai/deployments/gpt-4o/chat/completions",
            params={"api-version": "2024-10-21"},
            headers={"api-key": self.server.key},
            json={"messages": [{"role": "user", "content": "Hi"}]},
        )

    async def logged(self) -> dict[str, tuple[int, str, str]]:
        """The access log: category → count, who or where, rule."""
        await asyncio.sleep(1)
        path = f"{self.account}/providers/Linarite.Operations/networkLog"
        entries = (await self.arm("GET", path, version="2026-11-01")).json()["value"]
        return {
            each["Category"]: (
                each["Count"],
                each["SourceIpAddress"] or each["DestinationFqdn"],
                each["MatchedRule"],
            )
            for each in entries
        }


@asynccontextmanager
async def site(home: Path) -> AsyncGenerator[Site]:
    """A server whose one deployment is answered by an upstream on this machine."""
    async with serving(FakeUpstream()) as base_url:
        starting = asyncio.to_thread(start_server, home, settings_of(base_url))
        with stopped(await starting) as server:
            async with httpx.AsyncClient(timeout=30) as client:
                listed = await client.get(
                    f"{server.endpoint}/subscriptions/{SUBSCRIPTION}/providers/{ACCOUNT_TYPE}",
                    params={"api-version": "2025-09-01"},
                    headers={"authorization": f"Bearer {server.ready['management_key']}"},
                )
                made = Site(server, client, listed.json()["value"][0]["id"])
                location = listed.json()["value"][0]["location"]
                await made.arm("PUT", made.perimeter, {"location": location})
                await made.arm("PUT", made.profile, {})
                yield made


async def test_a_perimeter_is_learned_then_enforced(tmp_path: Path) -> None:
    """Learning refuses nothing and tells what would be; enforced, only its rules count."""
    async with site(tmp_path) as made:
        await made.rule("elsewhere", ELSEWHERE)
        assert (await made.ask()).status_code == 200
        await made.associate("Learning")
        assert (await made.ask()).status_code == 200
        assert await made.logged() == {
            "NspPublicInboundResourceRulesAllowed": (1, "127.0.0.1", ""),
            "NspPublicOutboundResourceRulesAllowed": (1, "127.0.0.1", ""),
        }

        await made.associate("Enforced")
        refused = await made.ask()
        assert refused.status_code == 403
        error = refused.json()["error"]
        assert (error["code"], error["message"]) == (
            "403",
            "Access denied due to Network Security Perimeter rules.",
        )
        await made.rule("here", HERE)
        refused = await made.ask()  # in it comes, but the upstream is outside
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "OutboundAccessDenied"
        assert "fullyQualifiedDomainNames" in refused.json()["error"]["message"]
        await made.rule("out", TO_UPSTREAM)
        assert (await made.ask()).status_code == 200
        logged = await made.logged()
        assert logged["NspPublicInboundPerimeterRulesDenied"] == (
            1,
            "127.0.0.1",
            "networkSecurityPerimeter",
        )
        assert logged["NspPublicInboundPerimeterRulesAllowed"] == (2, "127.0.0.1", "here")
        assert logged["NspPublicOutboundPerimeterRulesDenied"] == (1, "127.0.0.1", "")
        assert logged["NspPublicOutboundPerimeterRulesAllowed"] == (1, "127.0.0.1", "out")
        assert "EgressRefused" not in logged

        await made.arm("DELETE", f"{made.perimeter}/resourceAssociations/one")
        assert (await made.ask()).status_code == 200
        told = await asyncio.to_thread(linarite, tmp_path, "egress", "refused", "--all")
        assert "PerimeterRulesDenied" in told.stdout.replace("\n", ""), told


async def test_a_perimeter_stands_before_the_accounts_own_rules(tmp_path: Path) -> None:
    """Its rules open what publicNetworkAccess closes; SecuredByPerimeter enforces by itself."""
    async with site(tmp_path) as made:

        async def public(access: str) -> None:
            body = {"properties": {"publicNetworkAccess": access}}
            await made.arm("PATCH", made.account, body, version="2025-09-01")

        await made.rule("out", TO_UPSTREAM)
        await made.rule("elsewhere", ELSEWHERE)
        await public("SecuredByPerimeter")
        refused = await made.ask()
        assert refused.status_code == 403, "secured by a perimeter that is not there"
        await made.associate("Learning")
        refused = await made.ask()
        assert "Network Security Perimeter" in refused.json()["error"]["message"]
        await public("Disabled")
        refused = await made.ask()
        assert refused.json()["error"]["message"].startswith("Public access is disabled.")
        assert "NspPublicInboundResourceRulesDenied" in await made.logged()
        for access in ("Disabled", "SecuredByPerimeter", "Enabled"):
            await public(access)
            await made.rule("here", HERE)
            assert (await made.ask()).status_code == 200, access


async def test_identities_of_the_perimeter_and_of_a_rules_subscriptions_pass() -> None:
    """A refusal names them, so that whoever shows such a token is let in; nobody else's."""
    rig = await Rig().with_group()
    for name in ("one", "two", "outside"):
        await rig.ask(
            "PUT", f"{ACCOUNTS}/{name}", ACCOUNT | {"identity": {"type": "SystemAssigned"}}
        )
    book = PerimeterBook(
        rig.resources, lambda *_: None, lambda each: f"oid-of-{each.rpartition('/')[2]}"
    )
    rig.resources.subscribe(book.follow)
    edge = f"{GROUP}/providers/Microsoft.Network/networkSecurityPerimeters/edge"
    profile = f"{edge}/profiles/main"

    async def put(path: str, **body: object) -> None:
        made = await rig.ask("PUT", path, body, version="2024-07-01")
        assert made.status in (200, 201), made.body

    await put(edge, location="local")
    await put(profile, properties={})
    for name in ("one", "two"):
        properties = {
            "privateLinkResource": {"id": f"{ACCOUNTS}/{name}"},
            "profile": {"id": profile},
            "accessMode": "Enforced",
        }
        await put(f"{edge}/resourceAssociations/{name}", properties=properties)
    one = Account(
        id=f"{ACCOUNTS}/one",
        name="one",
        location="local",
        region_title="Local",
        network=book.around(f"{ACCOUNTS}/one", OPEN),
    )
    with pytest.raises(PerimeterDenied) as refused:
        require_way(ANY_WAY, "203.0.113.9", one)
    assert refused.value.trusted == {"oid-of-one", "oid-of-two"}
    arrival = Arrival(
        listener="endpoint",
        account_id=one.id,
        endpoint_id="/e",
        sources=(ip_network("203.0.113.0/24"),),
    )
    assert require_way(arrival, "203.0.113.9", one) == "privateEndpoint /e", "unaffected"

    subscriptions = [{"id": f"/subscriptions/{SUBSCRIPTION}"}]
    rule = {"direction": "Inbound", "subscriptions": subscriptions}
    await put(f"{profile}/accessRules/ours", properties=rule)
    one = msgspec.structs.replace(one, network=book.around(one.id, OPEN))
    with pytest.raises(PerimeterDenied) as refused:
        require_way(ANY_WAY, "203.0.113.9", one)
    assert refused.value.trusted == {"oid-of-one", "oid-of-two", "oid-of-outside"}


async def test_a_rule_over_mapped_addresses_names_the_ipv4_addresses_that_they_are() -> None:
    """As in an account's own rules: clients are judged by their IPv4 addresses."""
    rig = await Rig().with_group()
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    book = PerimeterBook(rig.resources, lambda *_: None, lambda _: "")
    rig.resources.subscribe(book.follow)
    edge = f"{GROUP}/providers/Microsoft.Network/networkSecurityPerimeters/edge"
    profile = f"{edge}/profiles/main"
    rule = {"direction": "Inbound", "addressPrefixes": ["::ffff:10.0.0.0/104"]}
    association = {
        "privateLinkResource": {"id": f"{ACCOUNTS}/one"},
        "profile": {"id": profile},
        "accessMode": "Enforced",
    }
    for path, body in (
        (edge, {"location": "local"}),
        (profile, {"properties": {}}),
        (f"{profile}/accessRules/mapped", {"properties": rule}),
        (f"{edge}/resourceAssociations/one", {"properties": association}),
    ):
        made = await rig.ask("PUT", path, body, version="2024-07-01")
        assert made.status in (200, 201), made.body
    one = Account(
        id=f"{ACCOUNTS}/one",
        name="one",
        location="local",
        region_title="Local",
        network=book.around(f"{ACCOUNTS}/one", OPEN),
    )
    for address in ("10.1.2.3", "::ffff:10.1.2.3"):
        assert require_way(ANY_WAY, address, one) == "perimeterRule mapped"
    with pytest.raises(PerimeterDenied):
        require_way(ANY_WAY, "203.0.113.9", one)
