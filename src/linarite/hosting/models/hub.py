"""Models from the Hugging Face Hub or a server that speaks like it (extra `huggingface`).

References look like `hf:OWNER/REPOSITORY/FILE.gguf` or `hf:OWNER/REPOSITORY/FILE.gguf@REVISION`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, cast

import msgspec

from linarite.hosting.models.errors import ModelUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.hosting.models.progress import Reporter

PREFIX = "hf:"
HUB_HOSTS = ("huggingface.co", "*.huggingface.co", "*.hf.co")
"""the hub's own, and where it keeps files"""
_REFERENCE = re.compile(
    r"hf:(?P<repository>[\w.-]+/[\w.-]+)/(?P<file>[\w./ -]+\.gguf)(?:@(?P<revision>[\w./-]+))?"
)
_SHOWN_CHARACTERS = 300
_SHA256 = re.compile(r"[0-9a-f]{64}")


class HubFile(msgspec.Struct, frozen=True):
    """What the hub says about a file."""

    source: str
    """the reference, fixed to a commit"""
    file_name: str
    size_bytes: int
    sha256: str


class Hub:
    """A hub at an endpoint; None means the library's own default and its settings."""

    def __init__(self, endpoint: str | None = None, token: str = "") -> None:
        """Without a `token`, that of `hf auth login` is shown, if there is one."""
        self._endpoint = endpoint
        self._token = token or None

    def describe(self, reference: str) -> HubFile:
        """Ask what the file is. Raises ModelUnavailable."""
        repository, file, revision = _parsed(reference)
        hub = _library()
        url = hub.hf_hub_url(repository, file, revision=revision, endpoint=self._endpoint)
        try:
            told = hub.get_hf_file_metadata(url, endpoint=self._endpoint, token=self._token)
        except Exception as error:
            raise _refused(reference, error) from error
        sha256 = told.etag or ""
        if told.commit_hash is None or told.size is None or not _SHA256.fullmatch(sha256):
            raise ModelUnavailable(
                f"{reference}: the hub tells no sha256 of this file, so it cannot be checked. "
                "Download it yourself and add the file: linarite model add FILE.gguf"
            )
        source = f"{PREFIX}{repository}/{file}@{told.commit_hash}"
        return HubFile(source, file.rsplit("/", 1)[-1], told.size, sha256)

    def fetch(self, described: HubFile, target: Path, scratch: Path, report: Reporter) -> None:
        """Download into `target`; the caller compares the sha256. Raises ModelUnavailable."""
        repository, file, revision = _parsed(described.source)
        hub = _library()
        hub.utils.disable_progress_bars()
        try:
            report("Downloading", 0, described.size_bytes)
            with report.watching(scratch, described.size_bytes):
                path = hub.hf_hub_download(
                    repository,
                    file,
                    revision=revision,
                    endpoint=self._endpoint,
                    local_dir=scratch,
                    token=self._token,
                )
        except Exception as error:
            raise _refused(described.source, error) from error
        scratch.joinpath(path).rename(target)


def _parsed(reference: str) -> tuple[str, str, str | None]:
    found = _REFERENCE.fullmatch(reference)
    if found is None or ".." in reference:
        raise ModelUnavailable(
            f"'{reference[:200]}' is not hf:OWNER/REPOSITORY/FILE.gguf, optionally with @REVISION."
        )
    return found["repository"], found["file"], found["revision"]


def _refused(reference: str, error: Exception) -> ModelUnavailable:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    shown = re.sub(r"\?\S+", "", lines[0])[:_SHOWN_CHARACTERS]
    return ModelUnavailable(
        f"{reference} cannot be had: {shown} Check the name, the connection and, for private or "
        "gated repositories, the access token (hf auth login; of a server: models.hub_token)."
    )


class _FileMetadata(Protocol):
    commit_hash: str | None
    etag: str | None
    size: int | None


class _ProgressBars(Protocol):
    def disable_progress_bars(self) -> None: ...


class _Library(Protocol):
    """What we use of `huggingface_hub`."""

    utils: _ProgressBars

    def hf_hub_url(
        self, repo_id: str, filename: str, *, revision: str | None, endpoint: str | None
    ) -> str: ...

    def get_hf_file_metadata(
        self, url: str, *, endpoint: str | None, token: str | None
    ) -> _FileMetadata: ...

    def hf_hub_download(
        self,
        repo_id: str,
        filename: str,
        *,
        revision: str | None,
        endpoint: str | None,
        local_dir: Path,
        token: str | None,
    ) -> str: ...


def _library() -> _Library:
    try:
        import huggingface_hub  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ModelUnavailable(
            "Models from a hub need one more library: pip install 'linarite[huggingface]'"
        ) from error
    return cast("_Library", huggingface_hub)
