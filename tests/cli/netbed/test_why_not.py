"""Where no hosts can be made, every command says why and what would help."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from linarite.cli.netbed.demo import require_beds
from linarite.cli.netbed.namespaces import why_not
from linarite.cli.netbed.records import start_of
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("sys.platform", "darwin", "are Linux's, and this is darwin"),
        ("os.geteuid", lambda: 1000, "needs root"),
        ("shutil.which", lambda _: None, "apt-get install iproute2"),
    ],
)
def test_the_cause_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | Callable[..., object], says: str
) -> None:
    """Each with what to do about it."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(f"linarite.cli.netbed.namespaces.{name}", value)
    assert says in why_not()
    with pytest.raises(SetupError, match="can't be made here"):
        require_beds()


def test_a_system_that_forbids_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With the words of `ip`."""
    folder = tmp_path_factory.mktemp("programs")
    program = folder / "ip"
    program.write_text("#!/bin/sh\necho 'Operation not permitted' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    assert shutil.which("ip") == str(program)
    assert "Operation not permitted" in why_not()


def test_a_process_is_known_by_its_start() -> None:
    """An id alone may be another process's by now; one that ended has no start."""
    assert start_of(1) >= 0 or start_of(1) == -1
    assert start_of(2**22 + 1) == -1
