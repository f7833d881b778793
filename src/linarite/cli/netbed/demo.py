"""The servers of the demo: a gateway on the server's host, and the models of each region."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from linarite.cli.netbed.layout import APPLICATION, PARTNER, PUBLIC, REGIONS, SERVER, WHOLE
from linarite.cli.netbed.namespaces import Bed, make_bed, why_not
from linarite.cli.netbed.records import kept
from linarite.cli.serving_file import SERVING_FILE, read_serving_file
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from linarite.cli.netbed.layout import Network
    from linarite.cli.serving_file import ServingFile

PORT, OWN_PORT = 8080, 8079
ACCOUNT = "demo"
MODEL = "gpt-4o"
ENVIRONMENT = "environment.sh"
"""beside each host's data: what commands that run on it find in their environment"""
START_S = 60.0
STOP_S = 15.0
LOOK_S = 0.1

SIDES = tuple(network for network in WHOLE.networks if not network.region)
"""the networks on which clients live"""


def require_beds() -> None:
    """Raises SetupError with the cause where no bed can be made."""
    if cause := why_not():
        raise SetupError(f"A network bed can't be made here: {cause}.")


def running_demo() -> Bed:
    """The newest demo that runs on this machine. Raises SetupError when there is none."""
    found = [record for record in kept() if record.home and record.owner_lives]
    if not found:
        raise SetupError("No demo runs on this machine. Start one with: linarite netbed up")
    return Bed(found[-1])


@contextmanager
def demo() -> Generator[Bed]:
    """Hosts with servers that serve, for as long as the block runs. Raises SetupError."""
    require_beds()
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="linarite-netbed-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        bed = make_bed(WHOLE, str(home))
        stack.callback(bed.remove)
        regions = [
            stack.enter_context(_server(bed, network.name, _region_settings(network)))
            for network in REGIONS
        ]
        keys = {
            network.name: _await_serving(bed, network.name, process).api_key
            for network, process in zip(REGIONS, regions, strict=True)
        }
        gateway = stack.enter_context(_server(bed, SERVER, _gateway_settings(keys)))
        serving = _await_serving(bed, SERVER, gateway)
        key, authority = serving.api_key, serving.ca_file or ""
        for network in SIDES:
            _tell(
                bed,
                network.name,
                AZURE_OPENAI_ENDPOINT=f"http://{network.server_address}:{PORT}",
                AZURE_OPENAI_API_KEY=key,
                SSL_CERT_FILE=authority,
            )
            bed.resolve_by(network.name, network.name_server)
        yield bed


def home_of(bed: Bed, host: str) -> Path:
    """The folder with a host's data."""
    return Path(bed.record.home) / host


def command_on(bed: Bed, host: str, arguments: Sequence[str]) -> list[str]:
    """What to execute so that a command runs on a host of the demo, with its environment."""
    environment = shlex.quote(str(home_of(bed, host) / ENVIRONMENT))
    script = f'[ ! -e {environment} ] || . {environment}; exec "$@"'
    return bed.command(host, ["/bin/sh", "-c", script, "sh", *arguments])


@contextmanager
def _server(bed: Bed, host: str, settings: str) -> Generator[subprocess.Popen[bytes]]:
    """A server on a host, ended when the block is left."""
    home = home_of(bed, host)
    home.mkdir(mode=0o700)
    file = home / "linarite.toml"
    file.write_text(settings)
    _tell(bed, host, LINARITE_HOME=str(home))
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            # Its own file: one in the folder that the demo is started from is not the demo's.
            command_on(
                bed, host, [sys.executable, "-m", "linarite.main", "up", "--config", str(file)]
            ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C is for us, who end the servers in our order.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _await_serving(bed: Bed, host: str, process: subprocess.Popen[bytes]) -> ServingFile:
    """How to use a server, once it serves. Raises SetupError with its last words."""
    file = home_of(bed, host) / SERVING_FILE
    deadline = time.monotonic() + START_S
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            words = (home_of(bed, host) / "server.log").read_text(errors="replace").strip()
            raise SetupError(f"The server on the host {host} did not start: {words[-500:]}")
        time.sleep(LOOK_S)
    return read_serving_file(file)


def _tell(bed: Bed, host: str, **variables: str) -> None:
    """Write down what commands on a host find in their environment. There may be keys in it."""
    home = home_of(bed, host)
    home.mkdir(mode=0o700, exist_ok=True)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    (home / ENVIRONMENT).write_text("".join(lines))


def _region_settings(network: Network) -> str:
    """A Linarite whose models are simulated."""
    return f"""
[server]
host = "{network.address}"
port = {PORT}
plaintext_beyond_loopback = true
[[deployments]]
name = "{MODEL}"
model = "{MODEL}"
instance = "simulated"
[instances.simulated]
engine = "simulator"
"""


def _gateway_settings(keys: dict[str, str]) -> str:
    """The gateway: an account in the first region, and an instance in each."""
    home = REGIONS[0].name
    said = [
        f"[server]\nport = {OWN_PORT}",
        f'[listeners.everywhere]\naddress = "::"\nport = {PORT}\ntls = false',
        "plaintext_beyond_loopback = true",
        f'[listeners.public]\naddress = "{PUBLIC.server_address}"\nport = 443',
        f'[dns]\nlisten = ["{PUBLIC.server_address}"]',
        f'public_addresses = ["{PUBLIC.server_address}"]',
        f'[account]\nname = "{ACCOUNT}"\nlocation = "{home}"\nregion_title = "{home}"',
        *(
            f'[networks.{network.name}]\naddresses = ["{network.subnets[0]}"]\n'
            f"endpoint_addresses = {msgspec.json.encode(network.endpoints).decode()}\n"
            f'dns = "{network.name_server}"'
            for network in (APPLICATION, PARTNER)
        ),
        f'[[deployments]]\nname = "{MODEL}"\nmodel = "{MODEL}"\nsku = "DataZoneStandard"',
        f'instance = "{home}"',
    ]
    for network in REGIONS:
        said += [
            f'[regions.{network.name}]\ndata_zone = "{network.data_zone}"',
            f'[instances.{network.name}]\nengine = "upstream"\nmodel = "{MODEL}"',
            f'region = "{network.name}"\n[instances.{network.name}.options]',
            f'base_url = "http://{network.address}:{PORT}/openai/v1"',
            f'api_key = "{keys[network.name]}"',
        ]
    return "\n".join(said)
