"""Without any network: installed from wheels, started, a model served, and nothing ever tried.

Twice, on a host of its own. `alone` has loopback and nothing else: whatever needs a network fails.
`trapped` has a link with a default route and a name server behind it, which leads to a host that
answers nothing: whatever is tried (a connection, a look-up of a name) goes over the link, and every
packet on it is seen. Nothing may be.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from linarite.cli.netbed.layout import SERVER, Layout, Network
from linarite.cli.netbed.namespaces import bed
from tests.netbed.capture import IPV4, IPV6, TCP, UDP, Capture
from tests.netbed.client import Client
from tests.netbed.wheelhouse import ROOT, fill
from tests.serving import Server, clean_environment, stopped, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from linarite.cli.netbed.namespaces import Bed
    from tests.netbed.capture import Packet

TRAP = Network(
    name="trap", server=("10.77.99.1/24", "fd77:99::1/64"), host=("10.77.99.2/24", "fd77:99::2/64")
)
NAME_SERVER = "192.0.2.53"
NO_CONFIGURATION = {"PIP_CONFIG_FILE": "/dev/null", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
SUITE = (
    "tests/contract/sdk/test_completions_embeddings_models.py",
    *(f"tests/dataplane/test_{name}.py" for name in ("authentication", "ways", "streams")),
    *(
        f"tests/dataplane/test_{name}.py"
        for name in ("chat_asks", "other_asks", "bodies", "headers")
    ),
    "tests/signin",
)
TRIES = """
import contextlib, socket
for address in (("192.0.2.1", 443), ("2001:db8::1", 443)):
    with contextlib.suppress(OSError):
        socket.create_connection(address, timeout=0.2)
with contextlib.suppress(OSError):
    socket.getaddrinfo("example.com", 443)
"""


def own_environment() -> dict[str, str]:
    """Without the options of whoever runs these tests (`PYTEST_ADDOPTS`).

    They would change what the suite there prints, of which the last line is read.
    """
    kept = {name: text for name, text in clean_environment().items() if name[:7] != "PYTEST_"}
    return kept | NO_CONFIGURATION


@dataclass
class Island:
    """A host without a network, and what is installed on it."""

    bed: Bed
    python: Path
    environment: dict[str, str]

    def run(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """A program there."""
        return subprocess.run(
            self.bed.command(SERVER, arguments),
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    @contextmanager
    def silent(self) -> Iterator[None]:
        """While the block runs nothing leaves, or tries to."""
        with Capture(self.bed, SERVER) as seen:
            yield
        assert not seen.packets(leaves)


def leaves(packet: Packet) -> bool:
    """Whether a packet is a program's and not for this host.

    The kernel itself tells a link which groups of IPv6 it listens to.
    """
    kernels = packet.target.startswith("ff02:") and packet.protocol not in (TCP, UDP)
    return packet.link != "lo" and packet.kind in (IPV4, IPV6) and not kernels


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All wheels that Linarite needs."""
    folder = tmp_path_factory.mktemp("wheels")
    fill(folder)
    return folder


@pytest.fixture(scope="module", params=["alone", "trapped"])
def island(
    request: pytest.FixtureRequest, wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Island]:
    """The host, with Linarite installed from the wheels."""
    trapped = request.param == "trapped"
    with bed(Layout(networks=(TRAP,) if trapped else ())) as made:
        if trapped:
            made.ip(SERVER, "route", "add", "default", "via", TRAP.address)
            made.ip(SERVER, "route", "add", "default", "via", "fd77:99::2")
            made.resolve_by(SERVER, NAME_SERVER)
        folder = tmp_path_factory.mktemp("installed")
        here = Island(made, folder / "bin" / "python", own_environment())
        with here.silent():
            # The tests' own pip installs there: to install another one takes seconds.
            prepared = here.run(sys.executable, "-m", "venv", "--without-pip", str(folder))
            assert prepared.returncode == 0, prepared.stderr
            pip = (sys.executable, "-m", "pip", "--python", str(here.python), "install")
            wheels = ("--no-index", "--no-compile", "--find-links", str(wheelhouse))
            installed = here.run(*pip, *wheels, "linarite[llamacpp]")
        assert installed.returncode == 0, installed.stderr
        yield here


@pytest.mark.slow
def test_what_would_be_tried_would_be_seen(island: Island) -> None:
    """The trap sees connections of both families and look-ups; alone, all of them fail."""
    with Capture(island.bed, SERVER) as seen:
        tries = ("env", "RES_OPTIONS=timeout:1 attempts:1", sys.executable, "-c", TRIES)
        assert island.run(*tries).returncode == 0
    if not island.bed.record.hosts[1:]:
        assert set(seen.counts()) <= {"lo"}
        return
    tried = seen.packets(leaves)
    assert {each.target for each in tried if each.opens} == {"192.0.2.1", "2001:db8::1"}
    assert {each.target for each in tried if each.asks_names} == {NAME_SERVER}


@pytest.mark.slow
@pytest.mark.real_model
def test_a_model_is_served(island: Island, model_home: Path, tmp_path: Path) -> None:
    """From what was installed: the models of the store come up, chats and vectors are answered."""
    (tmp_path / "models").symlink_to(model_home / "models")
    (tmp_path / "linarite.toml").write_text("[models]\nminimal = true\n")
    ready, log = tmp_path / "ready.json", tmp_path / "server.log"
    command = [str(island.python), "-m", "linarite.main", "up", "--port", "0"]
    with island.silent():
        with log.open("wb") as output:
            process = subprocess.Popen(
                island.bed.command(SERVER, [*command, "--ready-file", str(ready)]),
                env=island.environment | {"LINARITE_HOME": str(tmp_path)},
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        server = Server(process=process, home=tmp_path, log=log)
        with stopped(server):
            wait_until_ready(server, ready)
            states = {each["name"]: each["state"] for each in server.ready["deployments"]}
            client = Client(island.bed, SERVER)
            try:
                told = client.chat(
                    *(server.endpoint, server.key, "smollm2-135m-instruct"),
                    stream=True,
                    timeout_s=60,
                    options={"max_tokens": 16},
                )
            finally:
                client.close()
    assert states == {"smollm2-135m-instruct": "Ready", "multilingual-e5-small": "Ready"}
    assert told.status == 200, told
    assert told.text
    assert "warning" not in server.said, server.said


@pytest.mark.slow
def test_the_suite_passes(island: Island, tmp_path: Path) -> None:
    """A part of the tests, with what was installed from the wheels; where tries would be seen."""
    if not island.bed.record.hosts[1:]:
        pytest.skip("the suite runs where tries would be seen")
    [installed] = (island.python.parent.parent / "lib").glob("python3*/site-packages")
    island.environment["PYTHONPATH"] = str(installed)
    try:
        where = island.run(sys.executable, "-c", "import linarite; print(linarite.__file__)")
        assert where.stdout.startswith(str(installed))
        with island.silent():
            done = island.run(
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *("-m", "not real_model and not slow", f"--basetemp={tmp_path / 'suite'}"),
                *SUITE,
                timeout_s=120,
            )
    finally:
        del island.environment["PYTHONPATH"]
    assert done.returncode == 0, done.stdout[-3000:]
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 400
