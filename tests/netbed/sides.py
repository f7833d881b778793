"""A server between an application's subnet, a partner's and the public side, with clients there."""

from __future__ import annotations

import json
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linarite.cli.netbed.layout import APPLICATION, PARTNER, PUBLIC, SERVER, Layout
from linarite.cli.netbed.namespaces import bed
from tests.authority import Authority
from tests.cli.terminal import linarite
from tests.netbed.client import Client
from tests.netbed.management import ACCOUNTS, GROUP, Management
from tests.serving import start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from linarite.cli.netbed.layout import Network
    from linarite.cli.netbed.namespaces import Bed
    from tests.netbed.client import Told
    from tests.serving import Server

PORT = 8080
ENDPOINT_PORT = 443
MUTUAL_PORT, PROXIED_PORT, FORWARDED_PORT, IMPATIENT_PORT = 8444, 8445, 8446, 8447
DATA_PORT, CONTROL_PORT = 8448, 8449
TRUSTED, UNTRUSTED, ROBOT = "search", "notebook", "robot"
"""managed identities of which one is a trusted service, and an application with a certificate"""
IDENTITY_SECRETS = {name: f"only {name} is told this" for name in (TRUSTED, UNTRUSTED)}
HEAD_S = 5.0
PER_ADDRESS_MAX = 100
ALPHA, BETA = "alpha", "beta"
MODEL = "gpt-4o"
SLOW = "slow"
OUTSIDE = "outside"
"""a model that the partner's host has"""
OUTSIDE_PORT = 9000
SUBSCRIPTION = GROUP.partition("/resourceGroups")[0]
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
ROLES_VERSION = "2022-04-01"
NETWORKS = f"{GROUP}/providers/Microsoft.Network"


def subnet(network: Network) -> str:
    """The resource id of a network's subnet."""
    return f"{NETWORKS}/virtualNetworks/{network.name}/subnets/default"


IDENTITIES = "".join(
    f"""
[managed_identities.{name}]
address = "192.175.48.0/24"
header_secret = "{secret}"
"""
    for name, secret in IDENTITY_SECRETS.items()
)
"""programs on the public side"""


def settings(client_ca: Path, ids: dict[str, str]) -> str:
    """Plain http on all addresses; two private networks with addresses for endpoints.

    Beside them listeners for partners alone: with client certificates of an authority, behind a
    proxy, and one that is impatient; and two that carry one plane each. `ids` are the object ids
    of the service principals.
    """
    networks = "".join(
        f"""
[networks.{network.name}]
addresses = ["{network.subnets[0]}"]
endpoint_addresses = ["{prefix}.100-{prefix}.103"]
endpoint_port = {ENDPOINT_PORT}
dns = "{prefix}.53"
"""
        for network in (APPLICATION, PARTNER)
        for prefix in (network.server_address.rpartition(".")[0],)
    )
    return f"""
[quota]
capacity_max = 100000

[dns]
listen = ["{PUBLIC.server_address}"]
public_addresses = ["{PUBLIC.server_address}"]

[listeners.public]
address = "{PUBLIC.server_address}"
port = 443

[listeners.everywhere]
address = "::"
port = {PORT}
tls = false
plaintext_beyond_loopback = true

[listeners.mutual]
address = "{PARTNER.server_address}"
port = {MUTUAL_PORT}
client_certificates = "required"
client_ca_files = ["{client_ca}"]

[listeners.proxied]
address = "::"
port = {PROXIED_PORT}
tls = false
plaintext_beyond_loopback = true
proxy_protocol = true
trusted_proxies = ["{PARTNER.address}"]

[listeners.forwarded]
address = "::"
port = {FORWARDED_PORT}
tls = false
plaintext_beyond_loopback = true
trusted_proxies = ["{PARTNER.address}"]

[listeners.impatient]
address = "::"
port = {IMPATIENT_PORT}
tls = false
plaintext_beyond_loopback = true
head_s = {HEAD_S}
connections_per_address_max = {PER_ADDRESS_MAX}

[listeners.applications]
address = "{APPLICATION.server_address}"
port = {DATA_PORT}
tls = false
plaintext_beyond_loopback = true
planes = ["data"]

[listeners.owners]
address = "{APPLICATION.server_address}"
port = {CONTROL_PORT}
tls = false
plaintext_beyond_loopback = true
planes = ["control"]

[client_certificates.{ROBOT}]
principal = "{ids[ROBOT]}"
subject = "CN={ROBOT}"
listeners = ["mutual"]

[network_rules]
trusted_services = ["{ids[TRUSTED]}"]
{IDENTITIES}
[[deployments]]
name = "declared"
model = "{MODEL}"
instance = "fast"

[instances.fast]
engine = "simulator"
model = "{MODEL}"

[instances.slow]
engine = "simulator"
model = "{SLOW}"
options = {{ tokens_per_second = 4.0, reply_tokens = 400 }}

[instances.outside]
engine = "upstream"
model = "{OUTSIDE}"

[instances.outside.options]
base_url = "http://{PARTNER.address}:{OUTSIDE_PORT}/v1"
api_key = "none"
{networks}"""


NAME_SERVERS = {
    "application": "10.77.1.53",
    "partner": "10.77.2.53",
    "public": PUBLIC.server_address,
}


@dataclass(frozen=True)
class Door:
    """From where to where somebody knocks."""

    host: str
    address: str
    """the server's, as written in a URL"""
    source: str = ""
    """the client's, where its host has several"""

    @property
    def client_address(self) -> str:
        """As the server sees it."""
        return self.source or Layout(networks=(APPLICATION, PARTNER, PUBLIC)).of(self.host).address


DOORS = {
    "application": Door("application", APPLICATION.server_address),
    "application, publicly": Door("application", PUBLIC.server_address),
    "partner": Door("partner", PARTNER.server_address),
    "partner, publicly": Door("partner", PUBLIC.server_address),
    "public .10": Door("public", PUBLIC.server_address, "192.175.48.10"),
    "public .20": Door("public", PUBLIC.server_address, "192.175.48.20"),
    "public IPv6": Door("public", "[2620:4f:8000::1]", "2620:4f:8000::10"),
}


@dataclass
class Sides:
    """The server, its owner and a client on each side."""

    bed: Bed
    server: Server
    management: Management
    clients: dict[str, Client]
    keys: dict[str, str]
    """account → key"""
    authority: Authority
    """of partners' certificates"""
    ids: dict[str, str]
    """service principal → object id"""

    def knock(self, door: Door, account: str = ALPHA, *, key: str | None = None) -> Told:
        """A chat by the official client, with the account in the path."""
        return self.clients[door.host].chat(
            f"http://{door.address}:{PORT}/{account}",
            self.keys[account] if key is None else key,
            MODEL,
            source=door.source,
        )

    def name_of(self, account: str) -> str:
        """The host name by which clients call an account."""
        return f"{account}.openai.linarite.internal"

    def by_name(self, host: str, account: str = ALPHA, model: str = MODEL, **more: Any) -> Told:  # noqa: ANN401 - passed on
        """A chat over https by the account's one name, wherever that leads from a host."""
        return self.clients[host].chat(
            f"https://{self.name_of(account)}",
            self.keys[account],
            model,
            ca_file=self.server.ready["ca_file"],
            **more,
        )

    @contextmanager
    def may_use(self, principal: str, account: str = ALPHA) -> Iterator[None]:
        """While the block runs it has a role that lets it use the account's deployments."""
        scope = f"{ACCOUNTS}/{account}/providers/Microsoft.Authorization"
        definitions = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
        said = {
            "roleDefinitionId": f"{definitions}/{OPENAI_USER}",
            "principalId": self.ids[principal],
            "principalType": "ServicePrincipal",
        }
        path = f"{scope}/roleAssignments/{uuid.uuid4()}"
        made = self.management.call("PUT", path, {"properties": said}, ROLES_VERSION)
        assert made.status == 201, made
        try:
            yield
        finally:
            self.management.call("DELETE", path, api_version=ROLES_VERSION)

    def set(self, account: str = ALPHA, **properties: Any) -> None:  # noqa: ANN401 - JSON
        """Change an account's properties."""
        answer = self.management.call("PATCH", f"{ACCOUNTS}/{account}", {"properties": properties})
        assert answer.status == 200, answer

    def open_again(self) -> None:
        """The account as it was made: everybody may reach it."""
        self.set(
            publicNetworkAccess="Enabled",
            networkAcls={"defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
            restrictOutboundNetworkAccess=False,
            allowedFqdnList=[],
        )


@contextmanager
def sides_standing(home: Path) -> Iterator[Sides]:
    """All of it, with two accounts that have a fast and a slow deployment each."""
    with ExitStack() as stack:
        made = stack.enter_context(bed(Layout(networks=(APPLICATION, PARTNER, PUBLIC))))
        for name, asks in NAME_SERVERS.items():
            made.resolve_by(name, asks)
        home.mkdir(exist_ok=True)
        authority = Authority(home, "partners")
        ids = principals_made(home)
        server = start_server(
            home, settings(authority.file, ids), runner=tuple(made.command(SERVER, []))
        )
        stack.enter_context(stopped(server))
        management = Management(made, server)
        stack.callback(management.close)
        clients = {name: Client(made, name) for name in ("application", "partner", "public")}
        for client in clients.values():
            stack.callback(client.close)
        keys = {name: management.account(name, "local") for name in (ALPHA, BETA)}
        for name in keys:
            for model in (MODEL, SLOW):
                ended = management.deploy(name, model, model, "GlobalStandard")
                assert ended.get("status", "Succeeded") == "Succeeded", ended
        yield Sides(made, server, management, clients, keys, authority, ids)


def principals_made(home: Path) -> dict[str, str]:
    """Service principals, made while nobody is let in yet: settings name them by their ids."""
    with stopped(start_server(home, f"[models]\nfetch = false\n{IDENTITIES}")):
        listed = ("identity", "principal", "list", "--output", "json")
        for words in (("identity", "app", "create", ROBOT), listed):
            done = linarite(home, *words)
            assert done.returncode == 0, done.stderr
    ids = {each["displayName"]: each["id"] for each in json.loads(done.stdout)}
    return {name: ids[name] for name in (TRUSTED, UNTRUSTED, ROBOT)}
