"""The examples in README and docs are run, so that they stay true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from linarite.hosting.models.catalogue import MINIMAL_MODELS
from linarite.settings import load
from tests.serving import clean_environment, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

ROOT = Path(__file__).parent.parent.parent
FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CALM = "".join(
    f'[instances."{model}"]\noptions = {{ wait_policy = "passive" }}\n' for model in MINIMAL_MODELS
)
"""engines that leave the processors to the other tests while they wait"""


class Example(NamedTuple):
    """A fenced block of a page."""

    place: str
    text: str


def examples(language: str) -> list[Example]:
    """All blocks in a language, named by page and line."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found: list[Example] = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for block in FENCE.finditer(text):
            if block["language"] == language:
                line = text[: block.start()].count("\n") + 1
                found.append(Example(f"{page.relative_to(ROOT)}:{line}", block["text"]))
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model_home: Path) -> Iterator[Server]:
    """What `make run MINIMAL=1` starts, with what the pages say that their examples need."""
    network = next(
        each.text for each in examples("toml") if each.place.startswith("docs/private-endpoints")
    )
    opened = next(each.text for each in examples("toml") if "[webhook_endpoints]" in each.text)
    home = tmp_path_factory.mktemp("documented")
    (home / "models").symlink_to(model_home / "models")
    yield from serving(home, f"[models]\nminimal = true\n{CALM}{network}{opened}")


@pytest.mark.real_model
@pytest.mark.parametrize("example", examples("python"), ids=lambda example: example.place)
def test_python_example_runs(example: Example, server: Server, tmp_path: Path) -> None:
    """Each Python example ends well and prints something."""
    done = subprocess.run(
        [sys.executable, "-c", example.text],
        env=clean_environment()
        | {
            "AZURE_OPENAI_ENDPOINT": server.endpoint,
            "AZURE_OPENAI_API_KEY": server.key,
            "MANAGEMENT_KEY": server.ready["management_key"],
            "HTTPS_ENDPOINT": server.ready["https_endpoint"],
            "CA_FILE": server.ready["ca_file"],
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("example", examples("toml"), ids=lambda example: example.place)
def test_settings_example_is_valid(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example of `linarite.toml` is accepted."""
    for variable in re.findall(r'"env:(\w+)"', example.text):
        monkeypatch.setenv(variable, "made-up-for-this-test")
    file = tmp_path / "linarite.toml"
    file.write_text(example.text)
    assert load(file).file == file


def test_links_lead_somewhere() -> None:
    """No page links to a file that is not there."""
    broken = [
        f"{page.relative_to(ROOT)} → {target}"
        for page in [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)
