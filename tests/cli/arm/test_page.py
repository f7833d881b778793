"""The commands of `docs/cli.md` that manage a server are run, in the order of the page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.authority import self_signed
from tests.cli.terminal import linarite

if TYPE_CHECKING:
    from tests.serving import Server

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cli.md"
FENCE = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^### (\w+)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
SECTIONS = ("account", "deployment", "template", "usage", "activity", "identity")


@pytest.mark.slow
def test_what_the_page_says_works(managed: Server) -> None:
    """Every line of these sections does what it is there for."""
    _, certificate = self_signed("my-service")
    (managed.home / "certificate.pem").write_bytes(certificate)
    sections = dict(SECTION.findall(PAGE.read_text()))
    lines: list[str] = []
    for name in SECTIONS:
        blocks = FENCE.findall(sections[name])
        for text in (text for language, text in blocks if language == "json"):
            (managed.home / "main.json").write_text(text)
        lines += [
            line for language, text in blocks if language == "sh" for line in text.split("\n")
        ]
    asked = [shlex.split(line)[1:] for line in lines if line]
    assert len(asked) > 20
    for arguments in asked:
        done = linarite(managed.home, *arguments)
        assert done.returncode == 0, (arguments, done.stderr)
