"""The programs of `examples/` are run, each with its framework, on real small models."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.serving import clean_environment, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PYTHON = ROOT / ".venv.applications" / "bin" / "python"
RUN_S = 200
SETTINGS = """
[[deployments]]
name = "qwen2.5-coder-0.5b-instruct"
model = "qwen2.5-coder-0.5b-instruct"

[[deployments]]
name = "smollm2-135m-instruct"
model = "smollm2-135m-instruct"

[[deployments]]
name = "later"
model = "smollm2-135m-instruct"
sku = "GlobalBatch"

[[deployments]]
name = "multilingual-e5-small"
model = "multilingual-e5-small"

[instances."qwen2.5-coder-0.5b-instruct"]
options = { wait_policy = "passive" }

[instances."smollm2-135m-instruct"]
options = { wait_policy = "passive" }

[instances."multilingual-e5-small"]
options = { wait_policy = "passive" }
"""
SAYS = {
    "agent.py": ("looking at the weather in",),
    "code_assistant.py": ("ordered = sorted(numbers)", "median"),
    "drafts_batch.py": ("laptops/notice: ", "visitors/summary: "),
    "knowledge_chatbot.py": (
        "leave.md: completed",
        "  [doc1] leave.md: # Leave",
        "The requested information is not found in the retrieved data.",
    ),
    "knowledge_langchain.py": ("[leave.md] Leave: Everybody has 30 days",),
    "knowledge_llamaindex.py": ("[travel.md] 0.8",),
}
"""of each program, what it can't say unless the server did its part"""

pytestmark = [pytest.mark.real_model, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, coder_model_home: Path) -> Iterator[Server]:
    """With the models that the programs ask for."""
    home = tmp_path_factory.mktemp("applications")
    (home / "models").symlink_to(coder_model_home / "models")
    yield from serving(home, SETTINGS)


def test_every_program_is_run() -> None:
    """None is shown to readers that nobody has run, and each is listed on their page."""
    programs = {path.name for path in EXAMPLES.glob("*.py")}
    assert programs == set(SAYS)
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert {name for name in programs if f"]({name})" in page} == programs


@pytest.mark.parametrize("program", SAYS)
def test_program_does_what_it_shows(program: str, server: Server, tmp_path: Path) -> None:
    """As a reader runs it: endpoint and key are in the environment, and nothing else is."""
    if not PYTHON.exists():
        pytest.skip("the frameworks are not installed: `make test` makes .venv.applications")
    done = subprocess.run(
        [PYTHON, EXAMPLES / program],
        env=clean_environment()
        | {
            "AZURE_OPENAI_ENDPOINT": server.endpoint,
            "AZURE_OPENAI_API_KEY": server.key,
            "CHAT_DEPLOYMENT": "smollm2-135m-instruct",  # weaker than the default, and quicker
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for told in SAYS[program]:
        assert told in done.stdout, done.stdout
