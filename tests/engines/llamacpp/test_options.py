from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from linarite.domain.engine import InstanceSpec
from linarite.domain.errors import SetupError
from linarite.engines.llamacpp.options import LlamacppOptions, read_options

PAGE = Path(__file__).parents[3] / "docs" / "engines" / "llamacpp.md"


def options(**given: object) -> LlamacppOptions:
    """Type the options of an instance named talk."""
    return read_options(InstanceSpec("talk", "llamacpp", "model", options=given))


def test_every_option_has_a_default_and_a_meaning() -> None:
    """An instance needs no options, and each can be looked up."""
    assert options() == LlamacppOptions()
    for field in msgspec.structs.fields(LlamacppOptions):
        assert any(meta.description for meta in field.type.__metadata__), field.name


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"parallel_requests": 0}, ["talk.options.parallel_requests", ">= 1", "same time"]),
        ({"context_tokens": "many"}, ["options.context_tokens", "`int`", "Tokens one request"]),
        ({"threads": -1}, ["options.threads", "Processor threads"]),
        ({"thread": 1}, ["`thread`", "threads", "parallel_requests"]),
        ({"wait_policy": "lazy"}, ["options.wait_policy", "'lazy'", "balanced"]),
        ({"cache_type_k": "q9"}, ["options.cache_type_k", "'q9'"]),
        ({"environment": {"A": 1}}, ["options.environment", "`str`"]),
        ({"idle_s": 0}, ["options.idle_s", "> 0", "falls silent"]),
    ],
)
def test_wrong_options_are_refused_with_the_key_and_the_fix(
    given: dict[str, Any], words: list[str]
) -> None:
    """A person who mistypes an option reads which one and what it may be."""
    with pytest.raises(SetupError) as refused:
        options(**given)
    for word in words:
        assert word in refused.value.message


def test_the_page_tells_every_option_with_its_default() -> None:
    """What can be set can be read about."""
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    told = {row.split("`")[1]: row for row in rows}
    for field in msgspec.structs.fields(LlamacppOptions):
        assert field.name in told
        default = getattr(LlamacppOptions(), field.name)
        assert f"| `{msgspec.json.encode(default).decode()}` |" in told[field.name], field.name
