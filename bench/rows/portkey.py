"""Portkey's gateway: the upstream is named by each request's headers; it checks no key."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from bench.fake_upstream import MODEL
from bench.load.target import Target
from bench.peers import Unavailable, portkey_script
from bench.processes import start, until_listening
from bench.rows.fake import PATH
from bench.rows.process_row import ProcessRow
from bench.rows.row import KEY, free_port


class PortkeyRow(ProcessRow):
    """On Node.js, without its console."""

    def __init__(self) -> None:
        super().__init__("Portkey")

    async def start(self, folder: Path, upstream_port: int, cores: set[int]) -> None:
        """Start it. Raises Unavailable when it is not installed."""
        script = portkey_script()
        node = shutil.which("node")
        if node is None:
            raise Unavailable("there is no Node.js")
        package = json.loads((Path(script).parent.parent / "package.json").read_text())
        self.name = f"Portkey {package['version']}"
        port = free_port()
        command = [node, script, f"--port={port}", "--headless"]
        self._started = start(
            command,
            folder / "portkey.log",
            cores=cores,
            environment={"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1"},
        )
        headers = {
            "authorization": f"Bearer {KEY}",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"http://127.0.0.1:{upstream_port}/v1",
        }
        self._target = Target(port, PATH, MODEL, headers)
        await until_listening(port, self._started, 30)
