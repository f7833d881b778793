"""Private endpoints of a running server: they listen, lead to one account, and end at once."""

from __future__ import annotations

import json
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import dns.resolver
import httpx
import pytest
from openai import AzureOpenAI, DefaultHttpxClient

from tests.serving import SIMULATED, free_port, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/linarite"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
SUBNET = f"{NETWORK}/virtualNetworks/apps/subnets/default"
ENDPOINT = f"{NETWORK}/privateEndpoints/pe"
HELLO = {"messages": [{"role": "user", "content": "Say hello."}]}
CHAT = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"

OWN_NAME = "linarite.openai.linarite.internal"


def settings(port: int) -> str:
    """A network with two addresses for endpoints, and slow answers for streams to be cut."""
    network = f"""
[networks.apps]
addresses = ["127.0.0.0/24"]
endpoint_addresses = ["127.0.0.2-127.0.0.3"]
endpoint_port = {port}
"""
    return network + SIMULATED.replace("seed = 1", "seed = 1, tokens_per_second = 5.0")


def ask(server: Server, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
    """A request to the control plane with the management key."""
    version = "2025-09-01" if "CognitiveServices" in path else "2024-07-01"
    version = "2024-06-01" if "/privateDnsZones/" in path else version
    answer = httpx.request(
        method,
        f"{server.endpoint}{path}?api-version={version}",
        json=body,
        headers={"authorization": f"Bearer {server.ready['management_key']}"},
        timeout=30,
    )
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def make_endpoint(server: Server, *, manual: bool = False, name: str = ENDPOINT) -> str:
    """A private endpoint of the account; its address."""
    word = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    link = {"privateLinkServiceId": ACCOUNT, "groupIds": ["account"]}
    properties = {"subnet": {"id": SUBNET}, word: [{"name": "pe", "properties": link}]}
    made = ask(server, "PUT", name, {"location": "local", "properties": properties})
    interface = ask(server, "GET", made["properties"]["networkInterfaces"][0]["id"])
    (configuration,) = interface["properties"]["ipConfigurations"]
    return configuration["properties"]["privateIPAddress"]


def decide(server: Server, status: str) -> None:
    """Approve or reject the account's only connection."""
    (only,) = ask(server, "GET", f"{ACCOUNT}/privateEndpointConnections")["value"]
    state = {"status": status, "description": "by hand"}
    ask(server, "PUT", only["id"], {"properties": {"privateLinkServiceConnectionState": state}})


def chat(server: Server, base: str, host: str = OWN_NAME) -> httpx.Response:
    """A short answer by some way: an endpoint knows the names of its account alone."""
    body = HELLO | {"max_tokens": 1}
    headers = {"api-key": server.key, "host": host}
    return httpx.post(base + CHAT, json=body, headers=headers, timeout=30, verify=trust(server))


def trust(server: Server) -> ssl.SSLContext:
    """A client that trusts the local authority alone: endpoints speak TLS."""
    return ssl.create_default_context(cafile=server.ready["ca_file"])


def listens(address: str, port: int) -> bool:
    """Whether a connection can be made."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, port)) == 0


@pytest.fixture
def port() -> int:
    """Of all endpoints."""
    return free_port()


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[Server]:
    """One with a network."""
    with stopped(start_server(tmp_path / "home", settings(port))) as running:
        yield running


def test_an_approved_endpoint_leads_to_its_account_alone(server: Server, port: int) -> None:
    """The official client gets answers by it, also when the public side is closed."""
    address = make_endpoint(server)
    account = ask(server, "GET", ACCOUNT)
    ask(server, "PATCH", ACCOUNT, {"properties": {"publicNetworkAccess": "Disabled"}})
    assert account["properties"]["privateEndpointConnections"]
    refused = chat(server, server.endpoint)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "403")
    with AzureOpenAI(
        azure_endpoint=f"https://{address}:{port}",
        api_key=server.key,
        api_version="2024-10-21",
        default_headers={"host": OWN_NAME},
        http_client=DefaultHttpxClient(verify=trust(server)),
    ) as client:
        answer = client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Say hello."}], max_tokens=1
        )
    assert answer.choices[0].message.content is not None
    management = f"https://{address}:{port}{ACCOUNT}?api-version=2025-09-01"
    assert httpx.get(management, verify=trust(server)).status_code == 404
    other = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/other"
    properties = {"customSubDomainName": "other"}
    made = {"kind": "OpenAI", "sku": {"name": "S0"}, "location": "local", "properties": properties}
    ask(server, "PUT", other, made)
    refused = chat(server, f"https://{address}:{port}", OWN_NAME.replace("linarite.", "other.", 1))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "403")
    assert chat(server, f"https://{address}:{port}", address).status_code == 404


def test_approval_and_rejection_act_at_once(server: Server, port: int) -> None:
    """Nothing listens while pending; a rejection cuts the stream that is running."""
    address = make_endpoint(server, manual=True)
    assert not listens(address, port)
    decide(server, "Approved")
    assert listens(address, port)
    body = HELLO | {"stream": True, "max_tokens": 400}
    seen: list[str] = []
    with httpx.stream(
        "POST",
        f"https://{address}:{port}{CHAT}",
        json=body,
        headers={"api-key": server.key, "host": OWN_NAME},
        timeout=30,
        verify=trust(server),
    ) as stream:
        lines = stream.iter_lines()
        while len(seen) < 3:
            seen.append(next(lines))
        began = time.monotonic()
        decide(server, "Rejected")
        assert not listens(address, port)
        try:
            seen += [line for line in lines if line]
        except (httpx.RemoteProtocolError, httpx.ReadError):
            seen.append("cut")
        assert time.monotonic() - began < 5
    assert "[DONE]" not in "".join(seen)
    assert seen[-1] == "cut" or "error" in json.loads(seen[-1].removeprefix("data: "))
    assert chat(server, server.endpoint).status_code == 200


def test_one_name_leads_inside_and_outside(tmp_path: Path, port: int) -> None:
    """Resolvers inside are led to the endpoint, those outside to the public side, and TLS fits."""
    inside, outside = free_port(), free_port()
    said = (
        settings(port)
        + f"""
[dns]
listen = ["127.0.0.1:{outside}"]
public_addresses = ["203.0.113.7"]
"""
    )
    said = said.replace("endpoint_port", f'dns = "127.0.0.1:{inside}"\nendpoint_port')
    with stopped(start_server(tmp_path / "home", said)) as server:
        address = make_endpoint(server)
        zone = f"{NETWORK}/privateDnsZones/privatelink.openai.azure.com"
        ask(server, "PUT", zone, {"location": "global"})
        network = {"virtualNetwork": {"id": SUBNET.rpartition("/subnets/")[0]}}
        link = {"location": "global", "properties": network}
        ask(server, "PUT", f"{zone}/virtualNetworkLinks/apps", link)
        configs = [{"name": "openai", "properties": {"privateDnsZoneId": zone}}]
        group = {"properties": {"privateDnsZoneConfigs": configs}}
        ask(server, "PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", group)
        assert resolved(OWN_NAME, inside) == [address]
        assert resolved(OWN_NAME, outside) == ["203.0.113.7"]
        with httpx.Client(verify=trust(server)) as client:
            answer = client.post(
                f"https://{address}:{port}{CHAT}",
                json=HELLO | {"max_tokens": 1},
                headers={"api-key": server.key, "host": OWN_NAME},
                extensions={"sni_hostname": OWN_NAME},
            )
        assert answer.status_code == 200
        ask(server, "DELETE", ENDPOINT)
        assert resolved(OWN_NAME, inside) == ["203.0.113.7"]
        server.kill()
        with stopped(start_server(tmp_path / "home", said)):
            assert resolved(OWN_NAME, inside) == ["203.0.113.7"]


def resolved(name: str, port: int) -> list[str]:
    """The addresses that a name server of the server tells."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    return [each.to_text() for each in resolver.resolve(name, "A", lifetime=10)]


def test_deleting_the_endpoint_or_the_connection_closes_it(server: Server, port: int) -> None:
    """From either side."""
    first, second = make_endpoint(server), make_endpoint(server, name=f"{ENDPOINT}-2")
    assert listens(first, port)
    assert listens(second, port)
    ask(server, "DELETE", ENDPOINT)
    assert not listens(first, port)
    (only,) = ask(server, "GET", f"{ACCOUNT}/privateEndpointConnections")["value"]
    ask(server, "DELETE", only["id"])
    assert not listens(second, port)


def test_endpoints_listen_again_after_a_power_cut(tmp_path: Path, port: int) -> None:
    """What was approved is open again; an address that is taken is told and tried again."""
    server = start_server(tmp_path / "home", settings(port))
    first = make_endpoint(server)
    second = make_endpoint(server, name=f"{ENDPOINT}-2")
    server.kill()
    assert not listens(first, port)
    with socket.socket() as squatter:
        squatter.bind((second, port))
        squatter.listen()
        with stopped(start_server(tmp_path / "home", settings(port))) as server:
            assert chat(server, f"https://{first}:{port}").status_code == 200
            shown = ask(server, "GET", f"{ENDPOINT}-2")["properties"]
            assert shown["provisioningState"] == "Failed"
            (link,) = shown["privateLinkServiceConnections"]
            state = link["properties"]["privateLinkServiceConnectionState"]
            assert state["status"] == "Approved"
            assert f"{second}:{port}" in state["actionsRequired"]
            squatter.close()
            deadline = time.monotonic() + 60
            while (
                ask(server, "GET", f"{ENDPOINT}-2")["properties"]["provisioningState"] == "Failed"
            ):
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert chat(server, f"https://{second}:{port}").status_code == 200
