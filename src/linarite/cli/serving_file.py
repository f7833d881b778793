"""The serving file: how to use a server that runs, for scripts and for our own commands."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec

from linarite.domain.errors import SetupError

SERVING_FILE = "serving.json"
"""its name in the folder of all data, while a server runs"""
API_VERSION = "2024-10-21"
"""the api-version that people are shown: Azure's newest generally available one"""


class ServedDeployment(msgspec.Struct, frozen=True):
    """A deployment as it was when the server began to serve."""

    name: str
    model: str
    state: str
    """NotStarted, Starting, Ready, BackingOff, Failed, Stopped"""
    detail: str
    """why, for people"""
    operations: list[str]
    """by the words of their URLs: chat/completions, completions, embeddings"""


class ServingFile(msgspec.Struct, frozen=True):
    """How to use a running server. It holds a key: only its owner may read the file."""

    endpoint: str
    openai_v1: str
    """the base URL for clients made for OpenAI"""
    api_key: str
    api_version: str
    deployments: list[ServedDeployment]
    ca_file: str | None
    """PEM file with the authority to trust for https; None without it or with a public one"""
    pid: int
    home: str
    started_at: str
    """ISO 8601, UTC"""
    https_endpoint: str | None = None
    """the same as `endpoint`, or of https beside plain http; None where there is none"""
    listeners: dict[str, str] = {}
    """the URLs of `[listeners.NAME]`, by name"""
    management_key: str = ""
    """opens the control plane, as `Authorization: Bearer`"""
    account_id: str = ""
    """of the account that settings declare, as Azure Resource Manager names it"""

    @property
    def trusted(self) -> str | None:
        """The authority that `endpoint` itself wants to be trusted."""
        return self.ca_file if self.endpoint.startswith("https:") else None

    def __repr__(self) -> str:
        """Hide the key."""
        return f"ServingFile(endpoint={self.endpoint}, pid={self.pid})"


def write_serving_file(path: Path, content: ServingFile) -> None:
    """Write it whole or not at all, readable by its owner alone.

    Raises SetupError when the file can't be written.
    """
    data = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes the file with mode 0600.
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(number, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except OSError as problem:
        raise SetupError(
            f"The serving file {path} can't be written: {problem.strerror}. Choose another place "
            "with --ready-file."
        ) from None


def read_serving_file(path: Path) -> ServingFile:
    """Read it and make sure that its server runs.

    Raises SetupError when there is no such file, it is no serving file, or its server is gone.
    """
    try:
        content = msgspec.json.decode(path.read_bytes(), type=ServingFile)
    except FileNotFoundError:
        raise SetupError(
            f"No server runs with its data in {path.parent}. Start one with: linarite up"
        ) from None
    except OSError as problem:
        raise SetupError(f"{path} can't be read: {problem.strerror}.") from None
    except msgspec.DecodeError as problem:
        raise SetupError(f"{path} is no serving file: {problem}.") from None
    if not lives(content.pid):
        raise SetupError(
            f"The server that wrote {path} (process {content.pid}) is gone. Start one with: "
            "linarite up"
        )
    return content


def lives(pid: int) -> bool:
    """Whether a process of that id runs."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # someone else's, but it is there
        return True
    return True
