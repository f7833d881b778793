from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.cli.given_key import read_key
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_key_is_read_from_where_it_was_said_to_be(tmp_path: Path) -> None:
    """As typed, from a named variable, or from a file whose line end is no part of it."""
    file = tmp_path / "key"
    file.write_text("from-file\n")
    variables = {"NAME": "from-variable"}
    assert read_key(None, None, variables.get) is None
    assert read_key("typed", None, variables.get) == "typed"
    assert read_key("env:NAME", None, variables.get) == "from-variable"
    assert read_key(None, file, variables.get) == "from-file"


@pytest.mark.parametrize(
    ("key", "file", "told"),
    [
        ("env:OTHER", None, "variable OTHER, but it is not set"),
        ("env:EMPTY", None, "can't be a key"),
        ("two\nlines", None, "can't be a key"),
        (None, "missing", "key file .*missing can't be read"),
        ("typed", "missing", "exclude each other"),
    ],
)
def test_what_is_no_key_is_refused(
    tmp_path: Path, key: str | None, file: str | None, told: str
) -> None:
    """The message says where the key was looked for, and does not repeat what was there."""
    path = tmp_path / file if file else None
    with pytest.raises(SetupError, match=told) as refusal:
        read_key(key, path, {"EMPTY": " "}.get)
    assert "two" not in refusal.value.message


def test_the_flag_that_was_meant_is_named() -> None:
    """Not another one that takes a key as well."""
    with pytest.raises(SetupError, match=r"^--sas names the environment variable MISSING"):
        read_key("env:MISSING", None, {}.get, "--sas")
