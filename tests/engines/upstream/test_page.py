"""The engine's page tells every option as the code has it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_type_hints

import msgspec

from linarite.domain.engine import InstanceSpec
from linarite.engines.upstream.options import UpstreamOptions, read_options
from linarite.engines.upstream.secret import Secret

PAGE = Path(__file__).parents[3] / "docs" / "engines" / "upstream.md"


def test_the_page_lists_every_option() -> None:
    """Name, default and meaning of each, in the order of the code."""
    _, _, table = PAGE.read_text(encoding="utf-8").partition("## Options\n")
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == option_rows()


def test_the_example_is_valid() -> None:
    """The settings shown are ones that the engine takes."""
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    options = tomllib.loads(block)["instances"]["azure"]["options"]
    assert read_options(InstanceSpec("azure", "upstream", "m", options=options)).kind == "azure"


def option_rows() -> list[str]:
    """The rows of the table."""
    rows: list[str] = []
    hints = get_type_hints(UpstreamOptions, include_extras=True)
    for field in msgspec.structs.fields(UpstreamOptions):
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if isinstance(default, Secret):
            default = ""
        shown = "required" if field.required else f"`{msgspec.json.encode(default).decode()}`"
        meta = [meta for meta in hints[field.name].__metadata__ if meta.description]
        rows.append(f"| `{field.name}` | {shown} | {meta[-1].description} |")
    return rows
