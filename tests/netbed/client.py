"""A client on a host of a bed: a process there that does what it is told, with the official SDK.

`Client` is this process's end of it; the other one is `python -m tests.netbed.client`, which takes
a wish a line and prints what came of it.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.serving import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.cli.netbed.namespaces import Bed

ROOT = Path(__file__).parent.parent.parent
API_VERSION = "2024-10-21"
SCOPE = "https://cognitiveservices.azure.com/.default"
NO_ANSWER = 0
"""the status of what was never answered"""


@dataclass(frozen=True)
class Told:
    """What came of a wish."""

    status: int
    """NO_ANSWER where there was none; then `error` says why"""
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    error: str = ""
    text: str = ""
    """of a chat, as far as it came"""


class Client:
    """A client on a host; one wish at a time."""

    def __init__(self, bed: Bed, host: str, environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            bed.command(host, [sys.executable, "-m", "tests.netbed.client"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=clean_environment() | (environment or {}),
            text=True,
        )
        self._lock = threading.Lock()

    def chat(
        self, endpoint: str, key: str, deployment: str, say: str = "Hello", **more: object
    ) -> Told:
        """A chat by `openai.AzureOpenAI`; `stream=True` reads it as a stream.

        With `at_once=N` as many of them side by side: what came of each is in the body. `options`
        are further parameters of the chat, `source` an address of the host to come from, `ca_file`
        the authority to trust, `certificate` a file with the one to show. `identity` is the secret
        of a managed identity whose token is shown instead of the key, got at `tokens_from`;
        `keyless` shows neither.
        """
        return self._ask(do="chat", endpoint=endpoint, key=key, model=deployment, say=say, **more)

    def http(
        self, method: str, url: str, body: object = None, *, ca_file: str = "", **headers: str
    ) -> Told:
        """A plain request."""
        wish = {"method": method, "url": url, "body": body, "headers": headers}
        return self._ask(do="http", ca_file=ca_file or None, **wish)

    def names(self, name: str) -> list[list[str]]:
        """What the host's name server says: the names from alias to alias, then the addresses."""
        told = self._ask(do="names", name=name)
        assert not told.error, told
        return list(told.body)

    def close(self) -> None:
        """End the process."""
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)

    def _ask(self, **wish: object) -> Told:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(wish) + "\n")
            self._process.stdin.flush()
            return Told(**json.loads(self._process.stdout.readline()))


def tls_of(wish: dict[str, Any]) -> ssl.SSLContext:
    """Whom to trust, and what to show."""
    context = ssl.create_default_context(cafile=wish.get("ca_file"))
    if certificate := wish.get("certificate"):
        context.load_cert_chain(certificate)
    return context


def shown_by(wish: dict[str, Any]) -> dict[str, Any]:
    """The key, or the token of a managed identity: as on App Service, by the official library."""
    secret = wish.get("identity")
    if secret is None:
        return {"api_key": wish["key"]}
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 - as openai

    os.environ |= {"IDENTITY_ENDPOINT": wish["tokens_from"], "IDENTITY_HEADER": secret}
    token = ManagedIdentityCredential().get_token(SCOPE).token
    return {"azure_ad_token": token}


def without_key(request: Any) -> None:  # noqa: ANN401 - a request of httpx2
    """The official client insists on one."""
    request.headers.pop("api-key", None)


def chat(wish: dict[str, Any]) -> dict[str, Any]:
    """Ask the deployment with the official SDK, once."""
    import httpx2  # noqa: PLC0415 - slow, and not every client chats
    import openai  # noqa: PLC0415 - as httpx2

    if times := wish.pop("at_once", 0):
        with ThreadPoolExecutor(times) as together:
            return {"status": 200, "body": list(together.map(chat, [wish] * times))}
    try:
        shown = shown_by(wish)
    except Exception as problem:  # noqa: BLE001 - whatever the library raises
        return {"status": NO_ANSWER, "error": f"no token: {problem}"}
    client = openai.AzureOpenAI(
        azure_endpoint=wish["endpoint"],
        **shown,
        api_version=API_VERSION,
        max_retries=0,
        timeout=wish.get("timeout_s", 10),
        http_client=openai.DefaultHttpxClient(
            transport=httpx2.HTTPTransport(
                verify=tls_of(wish),
                local_address=wish.get("source") or None,
            ),
            event_hooks={"request": [without_key] if wish.get("keyless") else []},
        ),
    )
    ask = {"model": wish["model"], "messages": [{"role": "user", "content": wish["say"]}]}
    ask |= wish.get("options", {})
    pieces: list[str] = []
    try:
        if not wish.get("stream"):
            answer = client.chat.completions.with_raw_response.create(**ask)
            text = answer.parse().choices[0].message.content
            headers = dict(answer.headers)
            return {"status": 200, "text": text, "body": answer.http_response.json()} | {
                "headers": headers
            }
        for chunk in client.chat.completions.create(**ask, stream=True):
            pieces += [choice.delta.content or "" for choice in chunk.choices]
    except openai.APIStatusError as refused:
        body, headers = refused.response.json(), dict(refused.response.headers)
        return {"status": refused.status_code, "body": body, "headers": headers}
    except (openai.OpenAIError, httpx2.HTTPError) as problem:
        why = f"{problem}: {problem.__cause__}"
        return {"status": NO_ANSWER, "error": why, "text": "".join(pieces)}
    finally:
        client.close()
    return {"status": 200, "text": "".join(pieces)}


def http(wish: dict[str, Any]) -> dict[str, Any]:
    """Send a plain request."""
    import httpx  # noqa: PLC0415 - as openai

    try:
        answer = httpx.request(
            wish["method"],
            wish["url"],
            json=wish["body"],
            headers=wish["headers"],
            timeout=30,
            trust_env=False,
            verify=ssl.create_default_context(cafile=wish["ca_file"]),
        )
    except httpx.HTTPError as problem:
        return {"status": NO_ANSWER, "error": f"{type(problem).__name__}: {problem}"}
    is_json = "json" in answer.headers.get("content-type", "")
    body = answer.json() if is_json and answer.content else answer.text
    return {"status": answer.status_code, "body": body, "headers": dict(answer.headers)}


def names(wish: dict[str, Any]) -> dict[str, Any]:
    """Ask the host's name server."""
    import dns.resolver  # noqa: PLC0415 - as openai

    try:
        answer = dns.resolver.resolve(f"{wish['name']}.", "A", lifetime=5)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoNameservers):
        return {"status": 200, "body": [[], []]}
    passed = [*(set_.name for set_ in answer.chaining_result.cnames), answer.canonical_name]
    aliases = [name.to_text().rstrip(".") for name in passed]
    return {"status": 200, "body": [aliases, sorted(each.to_text() for each in answer)]}


DOES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "chat": chat,
    "http": http,
    "names": names,
}

if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            came = DOES[asked.pop("do")](asked)
        except Exception:  # noqa: BLE001 - whoever asked is to know, and may ask again
            came = {"status": NO_ANSWER, "error": traceback.format_exc()}
        print(json.dumps(came), flush=True)
