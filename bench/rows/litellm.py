"""LiteLLM's proxy: a key check and an OpenAI-compatible upstream, one worker, no database."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from bench.fake_upstream import MODEL
from bench.load.target import Target
from bench.peers import litellm_binary
from bench.processes import start, until_listening
from bench.rows.fake import PATH
from bench.rows.process_row import ProcessRow
from bench.rows.row import KEY, free_port

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
model_list:
  - model_name: {model}
    litellm_params:
      model: openai/{model}
      api_base: http://127.0.0.1:{upstream_port}/v1
      api_key: none
general_settings:
  master_key: {key}
litellm_settings:
  telemetry: false
  num_retries: 0
"""
ENVIRONMENT = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "DISABLE_ADMIN_UI": "True",
    "NO_PROXY": "127.0.0.1",
}


class LitellmRow(ProcessRow):
    """As its documentation recommends for production: errors logged only, one worker a core."""

    def __init__(self) -> None:
        super().__init__("LiteLLM")

    async def start(self, folder: Path, upstream_port: int, cores: set[int]) -> None:
        """Start it. Raises Unavailable when it is not installed."""
        binary = litellm_binary()
        self.name = f"LiteLLM {version_of(binary)}"
        home = folder / "litellm"
        home.mkdir()
        config = home / "config.yaml"
        text = CONFIG.format(model=MODEL, upstream_port=upstream_port, key=KEY)
        config.write_text(text, encoding="utf-8")
        port = free_port()
        command = [binary, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        self._started = start(
            [*command, "--num_workers", "1"],
            folder / "litellm.log",
            cores=cores,
            environment=ENVIRONMENT,
            folder=home,
        )
        self._target = Target(port, PATH, MODEL, {"authorization": f"Bearer {KEY}"})
        await until_listening(port, self._started, 90)


def version_of(binary: str) -> str:
    """Which version its environment holds."""
    python = binary.rpartition("/")[0] + "/python"
    ask = "import importlib.metadata as m; print(m.version('litellm'))"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    return done.stdout.strip()
