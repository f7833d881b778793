"""Where a person's own tools would bring models from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from linarite.hosting.models.person_places import Places, pip_places, places_named

if TYPE_CHECKING:
    from pathlib import Path


def pips(configuration: Path, **environment: str) -> Places:
    """What pip is configured with by a file and variables."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
    return pip_places({**kept, "PIP_CONFIG_FILE": str(configuration), **environment})


def test_the_words_that_count_are_those_that_pip_takes(tmp_path: Path) -> None:
    """Variables over what is said of downloads, that over the rest; of every kind of place."""
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://lost.example/simple\nproxy = http://proxy.lost:1\n"
        "extra-index-url =\n    http://one.example:8080/simple\n    https://Two.example/simple\n"
        "[download]\nindex-url = https://lost-too.example/simple\nproxy = http://proxy.example:1\n"
        f"find-links = {tmp_path} https://links.example/wheels\n"
    )
    found = pips(file, PIP_INDEX_URL="https://name:pass@won.example/simple")
    named = {"one.example", "two.example", "links.example", "won.example"}
    assert named <= found.hosts
    assert not [host for host in found.hosts - named if host.endswith("example")]
    assert found.proxy == "http://proxy.example:1"
    assert not found.plain


def test_without_configuration_it_is_pips_own_index(tmp_path: Path) -> None:
    """The index, and where it keeps files; none where pip is told to ask none."""
    assert len(pips(tmp_path / "none").hosts) == 2
    assert pips(tmp_path / "none", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)) == Places()


def test_plain_http_is_noticed(tmp_path: Path) -> None:
    """It has a proxy of its own."""
    assert pips(tmp_path / "none", PIP_INDEX_URL="http://h.example/simple").plain


def test_hubs_and_registries() -> None:
    """The hub with where it keeps files, or the one that is configured; the registry as typed."""
    hub = places_named("hf:a/b/c.gguf", {})
    assert hub == Places(patterns=("huggingface.co", "*.huggingface.co", "*.hf.co"))
    other = places_named("hf:a/b/c.gguf", {"HF_ENDPOINT": "https://hub.example"})
    assert other is not None
    assert (other.hosts, other.patterns) == ({"hub.example"}, ())
    registry = places_named("oci://Registry.example:5000/models/phi:4", {})
    assert registry is not None
    assert registry.hosts == {"registry.example"}
    assert places_named("oci://", {}) == Places()
    assert places_named("pypi:a==1", {}) is None
    assert places_named("smollm2-135m-instruct", {}) is None
