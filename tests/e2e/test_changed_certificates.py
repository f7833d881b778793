"""A server whose certificate changes while it runs."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import httpx

from linarite.web.certificates.contexts import LOOK_S
from tests.authority import Authority
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = "one.example.com", "two.example.com"


def test_its_names_change_with_it(tmp_path: Path) -> None:
    """Requests for the new ones are answered without a restart, those for the old ones no more.

    The first connection after a look is due finds it, however slow the machine is: there is no
    deadline here, and no try that may fail.
    """
    authority = Authority(tmp_path, "own")
    chain = authority.server_file(ONE)
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n{SIMULATED}'
    trusting = ssl.create_default_context(cafile=authority.file)

    def status(name: str) -> int:
        """Of a request by a name, over TLS for the name that the certificate has."""
        asked_for = ONE if chain.read_bytes() == first else TWO
        with httpx.Client(verify=trusting, timeout=30) as client:
            url = f"https://127.0.0.1:{port}/healthz"
            told = client.get(url, headers={"host": name}, extensions={"sni_hostname": asked_for})
        return told.status_code

    with stopped(start_server(tmp_path / "home", settings)) as server:
        port, first = httpx.URL(server.endpoint).port, chain.read_bytes()
        assert (status(ONE), status(TWO)) == (200, 421)
        authority.server_file(TWO).replace(chain)
        time.sleep(LOOK_S)  # it has looked no later than when the new one came
        assert status(TWO) == 200
        assert status(ONE) == 421
