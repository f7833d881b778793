"""Where prompts go, seen on the wire: no packet to a region outside the deployment's zone.

Three regions in two data zones, each with a Linarite of its own that serves the models, and a
gateway with a link to each. What is captured is every packet on the gateway's links.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from subprocess import check_output
from typing import TYPE_CHECKING, Any

import pytest

from linarite.cli.netbed.layout import APPLICATION, REGIONS, SERVER, Layout
from linarite.cli.netbed.namespaces import bed
from tests.netbed.capture import Capture
from tests.netbed.client import Client
from tests.netbed.management import ACCOUNTS, Management
from tests.serving import start_server, stopped, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from linarite.cli.netbed.namespaces import Bed
    from tests.netbed.client import Told
    from tests.serving import Server

PORT = "8080"
SWEDEN, POLAND, AMERICA = (network.name for network in REGIONS)
ZONES = {SWEDEN: "eu", POLAND: "eu", AMERICA: "us"}
MODELS = {
    "o-everywhere": (SWEDEN, POLAND, AMERICA),
    "o-polish": (POLAND, AMERICA),
    "o-american": (AMERICA,),
    "o-busy": (SWEDEN, AMERICA),
    "o-moving": (SWEDEN,),
}
"""model → regions that have it"""
IN_USE = ("state", "connected", "exclude", "time-wait")
"""connections that may still send something, to `ss`"""


def region_settings(address: str) -> str:
    """A Linarite that serves all models, whose answers a message can make fail."""
    deployments = "".join(
        f'[[deployments]]\nname = "{model}"\nmodel = "{model}"\ninstance = "simulated"\n'
        for model in MODELS
    )
    return (
        f'[server]\nhost = "{address}"\nplaintext_beyond_loopback = true\n{deployments}'
        "[instances.simulated]\nengine = 'simulator'\n"
        "options = { faults_by_request = true, tokens_per_second = 200.0, reply_tokens = 20 }\n"
    )


def gateway_settings(keys: dict[str, str], *, moved: str = "", declared: str = "everywhere") -> str:
    """The gateway: each region's instances, and a deployment of its own.

    `moved` is a model whose Swedish instance is run in America by now.
    """
    said = [
        '[server]\nhost = "0.0.0.0"\nplaintext_beyond_loopback = true',
        f'[account]\nlocation = "{SWEDEN}"',
        "[quota]\ncapacity_max = 100000",
        f'[[deployments]]\nname = "declared"\nmodel = "o-{declared}"\nsku = "Standard"',
        f'instance = "o-{declared}-{SWEDEN}"',
        *(f'[regions.{name}]\ndata_zone = "{zone}"' for name, zone in ZONES.items()),
    ]
    for network in REGIONS:
        for model in (model for model, there in MODELS.items() if network.name in there):
            busy = model == "o-busy" and network.name == SWEDEN
            where = Layout(networks=REGIONS).of(AMERICA) if model == moved else network
            said.append(
                f"[instances.{model}-{network.name}]\n"
                f'engine = "upstream"\nmodel = "{model}"\n'
                f'region = "{where.name}"\n'
                f"queue_max = {0 if busy else 8}\n"
                f"[instances.{model}-{network.name}.options]\n"
                f'base_url = "http://{where.address}:{PORT}/openai/v1"\n'
                f'api_key = "{keys[where.name]}"\n'
                f"retries = 1\nconnect_s = 1.0\nbreaker_failures = 1000\nkeep_alive_s = 0.3\n"
                f"parallel_requests = {1 if busy else 8}\n"
            )
    return "\n".join(said)


@dataclass
class Installation:
    """The gateway, its regions and a client in the application's subnet."""

    bed: Bed
    regions: dict[str, Server]
    gateway: Server
    management: Management
    client: Client
    keys: dict[str, str]
    """account → key"""

    def chat(self, account: str, deployment: str, say: str = "Hello", **more: object) -> Told:
        """Ask a deployment from the application's subnet."""
        endpoint = f"http://{APPLICATION.server_address}:{PORT}/{account}"
        return self.client.chat(endpoint, self.keys[account], deployment, say, **more)


def start_gateway(on: Bed, home: Path, settings: str, *, wait: bool = True) -> Server:
    """The gateway, on the server's host."""
    runner = tuple(on.command(SERVER, []))
    return start_server(home, settings, arguments=("--port", PORT), runner=runner, wait=wait)


def start_region(on: Bed, name: str, home: Path) -> Server:
    """A region's Linarite; it may still be starting."""
    network = Layout(networks=REGIONS).of(name)
    return start_server(
        home,
        region_settings(network.address),
        arguments=("--port", PORT),
        runner=tuple(on.command(name, [])),
        wait=False,
    )


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all servers have their data."""
    return tmp_path_factory.mktemp("residency")


@pytest.fixture(scope="module")
def installation(homes: Path) -> Iterator[Installation]:
    """All of it, with an account in each of two regions."""
    with ExitStack() as stack:
        made = stack.enter_context(bed(Layout(networks=(APPLICATION, *REGIONS))))
        regions = {
            name: stack.enter_context(stopped(start_region(made, name, homes / name)))
            for name in ZONES
        }
        for name, region in regions.items():
            wait_until_ready(region, homes / name / "ready.json")
        upstream_keys = {name: region.key for name, region in regions.items()}
        gateway = start_gateway(made, homes / "gateway", gateway_settings(upstream_keys))
        stack.enter_context(stopped(gateway))
        management = Management(made, gateway)
        stack.callback(management.close)
        client = Client(made, "application")
        stack.callback(client.close)
        keys = {name: management.account(name, name) for name in (SWEDEN, AMERICA)}
        keys["linarite"] = gateway.key
        yield Installation(made, regions, gateway, management, client, keys)


def deployed(to: Installation, account: str, name: str, model: str, sku: str) -> None:
    """Make a deployment that there is a place for."""
    ended = to.management.deploy(account, name, model, sku)
    assert ended.get("status", "Succeeded") == "Succeeded", ended


@contextmanager
def only_to(installation: Installation, *allowed: str) -> Iterator[None]:
    """While the block runs, these regions get packets, and no other one gets a single one."""
    await_silence(installation)
    with Capture(installation.bed, SERVER) as seen:
        yield
    counts = seen.counts()
    reached = {name for name in ZONES if counts[name]}
    assert reached == set(allowed), counts
    assert counts["application"], "the client itself was not seen"


@pytest.mark.parametrize(
    ("account", "sku", "model", "region"),
    [
        (SWEDEN, "Standard", "o-everywhere", SWEDEN),
        (SWEDEN, "DataZoneStandard", "o-everywhere", SWEDEN),
        (SWEDEN, "GlobalStandard", "o-everywhere", SWEDEN),
        (SWEDEN, "DataZoneStandard", "o-polish", POLAND),
        (SWEDEN, "GlobalStandard", "o-polish", POLAND),
        (SWEDEN, "GlobalStandard", "o-american", AMERICA),
        (AMERICA, "Standard", "o-everywhere", AMERICA),
        (AMERICA, "DataZoneStandard", "o-everywhere", AMERICA),
    ],
)
def test_each_sku_stays_where_it_may_run(
    installation: Installation, account: str, sku: str, model: str, region: str
) -> None:
    """From deploying to the answer, packets go to one region; a global one shows what could be."""
    name = f"{sku}-{model}".lower()
    with only_to(installation, region):
        deployed(installation, account, name, model, sku)
        told = installation.chat(account, name)
    assert told.status == 200, told
    assert told.headers["x-ms-region"] == region


@pytest.mark.parametrize(
    ("sku", "model"),
    [("Standard", "o-polish"), ("Standard", "o-american"), ("DataZoneStandard", "o-american")],
)
def test_what_has_no_place_in_its_zone_is_refused(
    installation: Installation, sku: str, model: str
) -> None:
    """It is not put elsewhere, and calls don't find it."""
    name = f"refused-{sku}-{model}".lower()
    with only_to(installation):
        ended = installation.management.deploy(SWEDEN, name, model, sku)
        told = installation.chat(SWEDEN, name)
    assert ended["status"] == "Failed"
    assert ended["error"]["code"] == "DeploymentModelNotSupported"
    assert told.status == 404
    assert told.body["error"]["code"] == "DeploymentNotFound"


SKUS = ["Standard", "DataZoneStandard"]


def deployed_in_sweden(to: Installation, name: str, model: str = "o-everywhere") -> list[str]:
    """A deployment for each SKU that keeps prompts in Europe."""
    names = [f"{name}-{sku}".lower() for sku in SKUS]
    for sku, named in zip(SKUS, names, strict=True):
        deployed(to, SWEDEN, named, model, sku)
    return names


def test_a_region_that_is_down_is_not_stood_in_for(installation: Installation, homes: Path) -> None:
    """Its models' process is killed: calls fail with 503, and no packet goes to another region."""
    names = deployed_in_sweden(installation, "down")
    installation.regions[SWEDEN].kill()
    try:
        with only_to(installation, SWEDEN):  # that is, a try to connect
            told = [installation.chat(SWEDEN, name) for name in (*names, *names)]
            told.append(installation.chat("linarite", "declared"))
    finally:
        revived = start_region(installation.bed, SWEDEN, homes / SWEDEN)
        installation.regions[SWEDEN].process = revived.process
        wait_until_ready(revived, homes / SWEDEN / "ready.json")
    for each in told:
        assert_unreached(each)
    with only_to(installation, SWEDEN):
        for name in names:
            assert until_served(installation, SWEDEN, name).status == 200


def test_a_region_out_of_reach_is_not_stood_in_for(installation: Installation) -> None:
    """Its link is cut, so that not even a refusal comes back."""
    names = deployed_in_sweden(installation, "cut")
    installation.bed.ip(SERVER, "link", "set", SWEDEN, "down")
    try:
        with only_to(installation):
            told = [installation.chat(SWEDEN, name) for name in names]
    finally:
        installation.bed.ip(SERVER, "link", "set", SWEDEN, "up")
    for each in told:
        assert_unreached(each)
    with only_to(installation, SWEDEN):
        for name in names:
            assert until_served(installation, SWEDEN, name).status == 200


@pytest.mark.parametrize(("fault", "status"), [("429", 429), ("503", 503), ("500", 500)])
def test_a_region_that_is_overloaded_is_not_relieved_by_others(
    installation: Installation, fault: str, status: int
) -> None:
    """What it refuses for its load is refused to the client, after the tries that are set."""
    names = deployed_in_sweden(installation, f"overloaded-{fault}")
    with only_to(installation, SWEDEN):
        told = [installation.chat(SWEDEN, name, f"[simulate {fault}]") for name in names]
    assert [each.status for each in told] == [status, status], told


def test_a_full_queue_is_not_emptied_elsewhere(installation: Installation) -> None:
    """More at once than the region's instance takes: the others are told 503 and when to return."""
    for name in deployed_in_sweden(installation, "busy", "o-busy"):
        with only_to(installation, SWEDEN):
            told = installation.chat(SWEDEN, name, at_once=6)
        assert told.status == 200
        assert sorted({each["status"] for each in told.body}) == [200, 503], told.body
        for refused in (each for each in told.body if each["status"] == 503):
            assert refused["body"]["error"]["code"] == "503", refused
            assert float(refused["headers"]["retry-after"]) >= 1


def test_what_spills_over_stays_in_the_zone(installation: Installation) -> None:
    """A provisioned deployment that is full: what it refuses is served where its SKU may be."""
    deployed(installation, SWEDEN, "spilling-to", "o-everywhere", "DataZoneStandard")
    deployed(installation, SWEDEN, "spilling-out", "o-american", "GlobalStandard")
    deployed(installation, SWEDEN, "spilling", "o-busy", "DataZoneProvisionedManaged")

    def at_once(to: str) -> list[dict[str, Any]]:
        header = {"x-ms-spillover-deployment": to}
        told = installation.chat(SWEDEN, "spilling", at_once=6, options={"extra_headers": header})
        assert told.status == 200, told
        return told.body

    with only_to(installation, SWEDEN):
        served = at_once("spilling-to")
    assert {each["status"] for each in served} == {200}, served
    spilled = [each for each in served if each["headers"]["x-ms-is-spilled-over"] == "true"]
    assert spilled
    for each in spilled:
        assert each["headers"]["x-ms-deployment-name"] == "spilling-to"
        assert each["headers"]["x-ms-region"] == SWEDEN
    with only_to(installation, SWEDEN):  # not to the one in America, though there is room
        kept = at_once("spilling-out")
    refused = [each for each in kept if each["status"] != 200]
    assert refused
    for each in refused:
        assert (each["status"], each["headers"]["x-ms-spillover-error"]) == (503, "503"), each


def test_no_spillover_out_of_the_zone_can_be_set(installation: Installation) -> None:
    """The owner is told which kind of deployment it must be."""
    deployed(installation, SWEDEN, "spilled-out", "o-american", "GlobalStandard")
    answer = installation.management.call(
        "PUT",
        f"{ACCOUNTS}/{SWEDEN}/deployments/spills-out",
        {
            "sku": {"name": "DataZoneProvisionedManaged", "capacity": 1},
            "properties": {
                "model": {"format": "OpenAI", "name": "o-everywhere", "version": "1"},
                "spilloverDeploymentName": "spilled-out",
            },
        },
    )
    assert answer.status == 400, answer
    assert "spills over to one of the SKU DataZoneStandard" in answer.body["error"]["message"]


def test_an_instance_that_moved_out_of_the_zone_serves_no_more(
    installation: Installation, homes: Path
) -> None:
    """Settings put it in another region while the gateway was stopped: nothing follows it there.

    A deployment of the settings themselves keeps the gateway from starting.
    """
    keys = {name: region.key for name, region in installation.regions.items()}
    names = deployed_in_sweden(installation, "moving", "o-moving")
    home = homes / "gateway"
    assert installation.gateway.stop() == 0
    try:
        settings = gateway_settings(keys, moved="o-moving", declared="moving")
        unstarted = start_gateway(installation.bed, home, settings, wait=False)
        assert unstarted.process.wait(30) == 1
        assert "its SKU Standard keeps prompts in swedencentral" in unstarted.said
        settings = gateway_settings(keys, moved="o-moving")
        with only_to(installation), stopped(start_gateway(installation.bed, home, settings)):
            told = [installation.chat(SWEDEN, name) for name in names]
        assert [each.status for each in told] == [404, 404], told
    finally:
        again = start_gateway(installation.bed, home, gateway_settings(keys))
        installation.gateway.process = again.process


def assert_unreached(told: Told) -> None:
    """The documented refusal, with the time after which to try again."""
    assert told.status == 503, told
    assert told.body["error"]["code"] == "503"
    assert "the upstream of this deployment cannot be reached" in told.body["error"]["message"]
    assert float(told.headers["retry-after"]) >= 1


def await_silence(installation: Installation) -> None:
    """Wait until the gateway has hung up on all regions: an unused connection ends by packets."""
    shown = installation.bed.command(SERVER, ["ss", "-Htn", *IN_USE])
    deadline = time.monotonic() + 60
    while any(network.address in check_output(shown, text=True) for network in REGIONS):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def until_served(installation: Installation, account: str, deployment: str) -> Told:
    """Ask until it answers, as a region that is back soon does."""
    deadline = time.monotonic() + 60
    while (told := installation.chat(account, deployment)).status != 200:
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    return told
