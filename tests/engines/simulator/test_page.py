"""The simulator's page says what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from linarite.domain.engine import InstanceSpec
from linarite.engines.simulator.options import FaultRule, SimulatorOptions, Wraps, read_options

PAGE = Path(__file__).resolve().parents[3] / "docs" / "engines" / "simulator.md"


@pytest.mark.parametrize("struct", [SimulatorOptions, FaultRule, Wraps])
def test_every_option_has_its_row(struct: type[msgspec.Struct]) -> None:
    """Name, default and meaning of each option stand in the page as they are in the code."""
    page = PAGE.read_text(encoding="utf-8")
    for field in msgspec.structs.fields(struct):
        row = f"| `{field.name}` | `{default(field)}` | {meaning(field)} |"
        assert row in page, f"write this row into {PAGE.name}: {row}"


def default(field: msgspec.structs.FieldInfo) -> str:
    """A default as the page shows it."""
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.json.encode(field.default_factory()).decode()
    if field.default is msgspec.NODEFAULT:
        return "required"
    return "none" if field.default is None else msgspec.json.encode(field.default).decode()


def meaning(field: msgspec.structs.FieldInfo) -> str:
    """The description in the code."""
    return [meta.description for meta in field.type.__metadata__ if meta.description][-1]


def test_the_examples_are_valid() -> None:
    """Every TOML block with options is one that the engine takes."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        for name, instance in tomllib.loads(block)["instances"].items():
            read_options(InstanceSpec(name, "simulator", "m", options=instance["options"]))
