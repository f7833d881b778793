"""Which endpoint to talk to, in which dialect, with which key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, quote, unquote

import msgspec

from linarite.cli.serving_file import API_VERSION, SERVING_FILE, read_serving_file
from linarite.domain.errors import SetupError
from linarite.domain.target import Target, target_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from linarite.cli.serving_file import ServingFile

CHAT = "chat/completions"
DEPLOYMENT_PATH = re.compile(r"(?P<base>.*?)/openai/deployments/(?P<deployment>[^/]+)(?:/.*)?")


class Asked(msgspec.Struct, frozen=True):
    """What the person said about the endpoint; None leaves it to us."""

    deployment: str | None = None
    endpoint: str | None = None
    key: str | None = None
    ca_file: str | None = None
    api_version: str | None = None

    def __repr__(self) -> str:
        """Hide the key."""
        return f"Asked(deployment={self.deployment}, endpoint={self.endpoint})"


class Endpoint(msgspec.Struct, frozen=True):
    """Where chats are sent."""

    target: Target
    dialect: Literal["azure", "openai"]
    base: str
    """path before `/openai/deployments` (azure) or before `/chat/completions` (openai)"""
    deployment: str | None
    """None: ask the endpoint which models it has"""
    key: str | None
    api_version: str
    ca_file: str | None

    def __repr__(self) -> str:
        """Hide the key."""
        return f"Endpoint({self.origin}{self.base}, deployment={self.deployment})"

    @property
    def origin(self) -> str:
        """Scheme, host and port, for messages."""
        return f"{'https' if self.target.tls else 'http'}://{self.target.host_header}"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What every request carries."""
        headers = [("content-type", "application/json"), ("user-agent", "linarite-chat")]
        if self.key is not None:
            headers.append(
                ("api-key", self.key)
                if self.dialect == "azure"
                else ("authorization", f"Bearer {self.key}")
            )
        return headers

    def chat_path(self, deployment: str) -> str:
        """The path that takes chats."""
        if self.dialect == "openai":
            return f"{self.base}/{CHAT}"
        name, version = quote(deployment, safe=""), quote(self.api_version, safe="")
        return f"{self.base}/openai/deployments/{name}/{CHAT}?api-version={version}"

    @property
    def models_path(self) -> str:
        """The path that lists models; it makes sense in OpenAI's dialect only."""
        return f"{self.base}/models"


def choose_endpoint(asked: Asked, home: Callable[[], Path]) -> Endpoint:
    """The endpoint that was named, else the server whose data lies in `home`.

    A running server's key is sent to that server alone. Raises SetupError, EgressRefused.
    """
    if asked.endpoint is not None:
        return named_endpoint(asked.endpoint, asked)
    content = read_serving_file(home() / SERVING_FILE)
    own = Asked(
        deployment=asked.deployment or largest_chat_deployment(content),
        key=asked.key or content.api_key,
        ca_file=asked.ca_file or content.ca_file,
        api_version=asked.api_version or content.api_version,
    )
    return named_endpoint(content.endpoint, own)


def largest_chat_deployment(content: ServingFile) -> str:
    """The last ready one that chats, as the catalogue puts larger models later."""
    ready = [each for each in content.deployments if each.state == "Ready"]
    able = [each for each in ready if CHAT in each.operations]
    # What one that starts with its first request can do is not known before.
    able = able or [each for each in content.deployments if each.state == "NotStarted"]
    if not able:
        states = ", ".join(f"{each.name} is {each.state}" for each in content.deployments)
        raise SetupError(
            f"The server at {content.endpoint} has no chat deployment that is ready "
            f"({states or 'it has no deployments'}). Name one to try it all the same: "
            "linarite chat DEPLOYMENT"
        )
    return able[-1].name


def named_endpoint(url: str, asked: Asked) -> Endpoint:
    """Understand a URL: a base, or the full address that a portal shows.

    A path that ends in `/v1` means OpenAI's dialect, anything else Azure's.
    """
    target = target_of(url)
    path, _, query = target.path.partition("?")
    path = path.removesuffix("/").removesuffix(f"/{CHAT}")
    full = DEPLOYMENT_PATH.fullmatch(path)
    version = asked.api_version or parse_qs(query).get("api-version", [API_VERSION])[0]
    deployment = asked.deployment or (unquote(full["deployment"]) if full else None)
    openai = path.endswith("/v1") and full is None
    if deployment is None and not openai:
        raise SetupError(
            "Which deployment? Name it: linarite chat DEPLOYMENT --endpoint URL. (If the endpoint "
            "speaks OpenAI's protocol, its URL ends in /v1.)"
        )
    return Endpoint(
        target=target,
        dialect="openai" if openai else "azure",
        base=full["base"] if full else path if openai else path.removesuffix("/openai"),
        deployment=deployment,
        key=asked.key,
        api_version=version,
        ca_file=asked.ca_file,
    )
