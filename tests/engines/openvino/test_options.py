from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from linarite.domain.engine import InstanceSpec
from linarite.domain.errors import SetupError
from linarite.engines.openvino.options import OpenvinoOptions, read_options

PAGE = Path(__file__).parents[3] / "docs" / "engines" / "openvino.md"


def options(**given: object) -> OpenvinoOptions:
    """Type the options of an instance named talk."""
    return read_options(InstanceSpec("talk", "openvino", "model", options=given))


def test_wrong_options_are_refused_with_the_key_and_the_fix() -> None:
    """A person who mistypes an option reads which one and what it may be."""
    assert options() == OpenvinoOptions()
    with pytest.raises(SetupError, match=r"talk\.options\.cache_type.*'q9'.*Number format"):
        options(cache_type="q9")
    with pytest.raises(
        SetupError, match=r"`thread`\. The openvino engine's options are: .*threads"
    ):
        options(thread=1)


def test_the_page_tells_every_option_with_its_default() -> None:
    """What can be set can be read about."""
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    told = {row.split("`")[1]: row for row in rows}
    for field in msgspec.structs.fields(OpenvinoOptions):
        assert any(meta.description for meta in field.type.__metadata__), field.name
        default = getattr(OpenvinoOptions(), field.name)
        assert f"| `{msgspec.json.encode(default).decode()}` |" in told[field.name], field.name
