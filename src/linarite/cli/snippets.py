"""Commands and programs that use a running server, ready to be pasted."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.cli.serving_file import ServedDeployment, ServingFile

CHAT = "chat/completions"
EMBEDDINGS = "embeddings"
QUESTION = "Say hello in one short sentence."
PROGRAM = "linarite"


def chat_command(started_as: str, home: str | None) -> str:
    """`linarite chat` as another terminal has to type it.

    `started_as` is the path that this program was started by: set-up puts it into a folder that
    shells don't search. `home` is the data folder if only a variable of this shell names it.
    """
    found = shutil.which(PROGRAM)
    searched = found is not None and Path(found).resolve() == Path(started_as).resolve()
    is_path = Path(started_as).name == PROGRAM and not searched
    program = shlex.quote(started_as) if is_path else PROGRAM
    return f"LINARITE_HOME={shlex.quote(home)} {program} chat" if home else f"{program} chat"


def curl_command(content: ServingFile) -> str | None:
    """A `curl` line for a chat, else for an embedding; None when nothing is ready."""
    chat, embedding = ready(content, CHAT), ready(content, EMBEDDINGS)
    deployment = chat or embedding
    if deployment is None:
        return None
    operation = CHAT if chat else EMBEDDINGS
    body: dict[str, object] = (
        {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 32, "temperature": 0}
        if chat
        else {"input": QUESTION}
    )
    path = f"/openai/deployments/{deployment.name}/{operation}?api-version={content.api_version}"
    trust = f" --cacert {shlex.quote(content.trusted)}" if content.trusted else ""
    return " \\\n  ".join(
        [
            f"curl{trust} {shlex.quote(content.endpoint + path)}",
            f"-H {shlex.quote(f'api-key: {content.api_key}')}",
            "-H 'content-type: application/json'",
            f"-d {shlex.quote(json.dumps(body))}",
        ]
    )


def python_program(content: ServingFile) -> str | None:
    """A program for the `openai` package; None when nothing is ready."""
    chat, embedding = ready(content, CHAT), ready(content, EMBEDDINGS)
    if chat is not None:
        call = [
            "reply = client.chat.completions.create(",
            f'    model="{chat.name}",',
            f'    messages=[{{"role": "user", "content": "{QUESTION}"}}],',
            "    max_tokens=32,",
            "    temperature=0,",
            ")",
            "print(reply.choices[0].message.content)",
        ]
    elif embedding is not None:
        call = [
            f'reply = client.embeddings.create(model="{embedding.name}", input="{QUESTION}")',
            "print(reply.data[0].embedding[:4])",
        ]
    else:
        return None
    return "\n".join([*client_lines(content), *call])


def client_lines(content: ServingFile) -> list[str]:
    """How the client is made."""
    lines = ["from openai import AzureOpenAI", "", "client = AzureOpenAI("]
    if content.trusted:
        lines = [
            "import ssl",
            "",
            "from openai import AzureOpenAI, DefaultHttpxClient",
            "",
            f"trusted = ssl.create_default_context(cafile={content.trusted!r})",
            "client = AzureOpenAI(",
            "    http_client=DefaultHttpxClient(verify=trusted),",
        ]
    return [
        *lines,
        f'    azure_endpoint="{content.endpoint}",',
        f'    api_key="{content.api_key}",',
        f'    api_version="{content.api_version}",',
        ")",
    ]


def ready(content: ServingFile, operation: str) -> ServedDeployment | None:
    """The last ready deployment that can do it: the catalogue puts larger models later."""
    able = [
        deployment
        for deployment in content.deployments
        if deployment.state == "Ready" and operation in deployment.operations
    ]
    return able[-1] if able else None
