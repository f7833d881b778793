"""Prompts and completions: kept where an account wants it, sealed, read by whoever has the role."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from tests.serving import SIMULATED, clean_environment, serving, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/linarite"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/linarite"
SWITCH = "providers/Linarite.Operations/contentLogging/default"
RECORDS = "providers/Linarite.Operations/contentRecords"
ROLES = "/providers/Microsoft.Authorization/roleDefinitions"
CONTENT_READER = "6b1d0c52-9a0f-4e0b-8f0e-2d6c7a4e9c31"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
SECRET = "the-mole-is-called-Gerald"
VERSION = {"api-version": "2026-11-01"}
PATIENCE_S = 60.0


def manage(
    server: Server, method: str, path: str, body: object = None, bearer: str = "", **query: str
) -> httpx.Response:
    """A request to the control plane, with the management key unless somebody else asks."""
    bearer = bearer or str(server.ready["management_key"])
    return httpx.request(
        method,
        server.endpoint + path,
        params=VERSION | ({"api-version": "2022-04-01"} if "Authorization" in path else query),
        headers={"authorization": f"Bearer {bearer}"},
        json=body,
        timeout=30,
    )


def switch(server: Server, state: str, days: int = 30, account: str = ACCOUNT) -> None:
    """Have the account's content kept, or not."""
    body = {"properties": {"state": state, "retentionDays": days}}
    assert manage(server, "PUT", f"{account}/{SWITCH}", body).status_code in {200, 201}


def chat(server: Server, text: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    """A chat completion on the wire."""
    return httpx.post(
        f"{server.endpoint}/openai/deployments/gpt-4o/chat/completions",
        params={"api-version": "2024-10-21"},
        headers={"api-key": server.key},
        json={"messages": [{"role": "user", "content": text}], **more},
        timeout=30,
    )


def graph(server: Server, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """A request to the directory that makes something."""
    key = server.ready["management_key"]
    answer = httpx.post(
        f"{server.endpoint}/v1.0{path}", json=body, headers={"authorization": f"Bearer {key}"}
    )
    assert answer.is_success, answer.text
    return answer.json()


def somebody(server: Server, name: str, role: str) -> str:
    """The access token of a new application that has a role at the account."""
    made = graph(server, "/applications", {"displayName": name})
    principal = graph(server, "/servicePrincipals", {"appId": made["appId"]})
    secret = graph(server, f"/applications/{made['id']}/addPassword")["secretText"]
    body = {
        "properties": {
            "roleDefinitionId": f"{ROLES}/{role}",
            "principalId": principal["id"],
            "principalType": "ServicePrincipal",
        }
    }
    path = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/{principal['id']}"
    assert manage(server, "PUT", path, body).status_code == 201
    cloud = httpx.get(f"{server.endpoint}/metadata/endpoints?api-version=2022-09-01").json()
    form = {
        "grant_type": "client_credentials",
        "client_id": made["appId"],
        "client_secret": secret,
        "scope": "https://management.azure.com/.default",
    }
    tenant = cloud["authentication"]["tenant"]
    answer = httpx.post(f"{server.endpoint}/{tenant}/oauth2/v2.0/token", data=form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def read(server: Server, request_id: str, bearer: str) -> httpx.Response:
    """The content of one request, once it is on disk."""
    wait_for(lambda: request_id in {each["name"] for each in listed(server, ACCOUNT)})
    return manage(server, "POST", f"{ACCOUNT}/{RECORDS}/{request_id}/read", bearer=bearer)


def content(server: Server, answer: Any, bearer: str) -> dict[str, Any]:  # noqa: ANN401 - of either httpx
    """What is kept of a request."""
    told = read(server, answer.headers["apim-request-id"], bearer)
    assert told.status_code == 200, told.text
    return told.json()["properties"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One whose account has content kept."""
    for running in serving(tmp_path_factory.mktemp("kept"), SIMULATED):
        switch(running, "Enabled")
        yield running


@pytest.fixture(scope="module")
def reader(server: Server) -> str:
    """The token of somebody who may read it."""
    return somebody(server, "reader", CONTENT_READER)


def test_plain_and_streamed_are_kept_alike(server: Server, reader: str) -> None:
    """The prompt as it was sent, the completion as one body with the id that the client saw."""
    plain = chat(server, SECRET, seed=1)
    kept = content(server, plain, reader)
    assert kept["prompt"]["messages"][0]["content"] == SECRET
    assert kept["completion"] == plain.json()
    assert kept["request"]["status"] == 200
    streamed = chat(server, SECRET, seed=1, stream=True)
    chunks = [
        json.loads(line[6:])
        for line in streamed.text.splitlines()
        if line.startswith("data: {") and '"choices":[]' not in line
    ]
    said = "".join(each["choices"][0]["delta"].get("content") or "" for each in chunks)
    folded = content(server, streamed, reader)["completion"]
    assert folded["object"] == "chat.completion"
    assert folded["id"] == chunks[-1]["id"]
    assert folded["choices"][0]["message"]["content"] == said
    assert folded["choices"][0]["finish_reason"] == "stop"
    assert folded["usage"]["completion_tokens"] > 0


def test_other_operations_and_refusals(server: Server, reader: str) -> None:
    """Completions whole, of embeddings what was asked, of refusals what was refused and why."""
    client = openai.AzureOpenAI(
        azure_endpoint=server.endpoint, api_key=server.key, api_version="2024-10-21"
    )
    told = client.completions.with_raw_response.create(model="gpt-4o", prompt=SECRET, max_tokens=5)
    kept = content(server, told.http_response, reader)
    assert kept["prompt"]["prompt"] == SECRET
    assert kept["completion"]["object"] == "text_completion"
    embedded = client.embeddings.with_raw_response.create(
        model="text-embedding-3-small", input=SECRET
    )
    kept = content(server, embedded.http_response, reader)
    assert kept["prompt"]["input"] == SECRET
    assert "completion" not in kept
    refused = chat(server, SECRET, temperature=7)
    assert refused.status_code == 400
    kept = content(server, refused, reader)
    assert kept["error"] == refused.json()
    assert kept["request"]["finish"] == "refused"
    client.close()


def test_responses(server: Server, reader: str) -> None:
    """Streamed or not: the response as it was at its end."""
    client = openai.OpenAI(base_url=f"{server.endpoint}/openai/v1/", api_key=server.key)
    made = client.responses.with_raw_response.create(model="gpt-4o", input=SECRET, store=False)
    kept = content(server, made.http_response, reader)
    assert kept["prompt"]["input"] == SECRET
    assert kept["completion"]["id"] == made.http_response.json()["id"]
    asked = {"model": "gpt-4o", "input": SECRET, "store": False, "stream": True}
    streamed = httpx.post(
        f"{server.endpoint}/openai/v1/responses", headers={"api-key": server.key}, json=asked
    )
    ended = json.loads(streamed.text.rpartition("data: ")[2])["response"]
    kept = content(server, streamed, reader)["completion"]
    assert (kept["id"], kept["status"], kept["output"]) == (
        ended["id"],
        "completed",
        ended["output"],
    )
    client.close()


@pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")  # of the client's own use
def test_responses_that_nobody_waits_for_and_turns(server: Server, reader: str) -> None:
    """What comes of one in the background is kept, as is each turn over a WebSocket."""
    client = openai.OpenAI(base_url=f"{server.endpoint}/openai/v1/", api_key=server.key)
    asked: Any = {"model": "gpt-4o", "input": f"{SECRET} in the background"}
    first: Any = next(iter(client.responses.create(**asked, background=True, stream=True)))
    made = [client.responses.create(**asked, background=True), first.response]
    with client.responses.connect() as socket:
        socket.response.create(**asked | {"input": f"{SECRET} by a socket"})
        for event in socket:
            if event.type == "response.completed":
                made.append(event.response)
                break
    wait_for(lambda: all(client.responses.retrieve(e.id).status == "completed" for e in made))
    whole = {each.id: client.responses.retrieve(each.id) for each in made}
    kept: dict[str, str] = {}

    def are_kept() -> bool:
        for each in listed(server, ACCOUNT):
            told = manage(
                server, "POST", f"{ACCOUNT}/{RECORDS}/{each['name']}/read", bearer=reader
            ).json()["properties"]
            answer = told.get("completion") or {}
            if answer.get("status") == "completed" and answer["id"] in whole:
                assert SECRET in told["prompt"]["input"]
                kept[answer["id"]] = answer["output"][0]["content"][0]["text"]
        return len(kept) == len(whole)

    wait_for(are_kept)
    assert kept == {name: each.output_text for name, each in whole.items()}


def test_answers_keep_their_headers(server: Server) -> None:
    """What an operation adds to its answer while it runs is told, though its words are kept."""
    told = httpx.post(
        f"{server.endpoint}/openai/uploads?api-version=2024-10-21",
        json={"filename": "a.txt", "purpose": "assistants", "bytes": 1, "mime_type": "text/plain"},
        headers={"api-key": server.key},
    )
    assert told.headers["location"].startswith(f"/openai/uploads/{told.json()['id']}?")


def test_requests_for_what_is_stored_are_not_kept(server: Server) -> None:
    """They ask no model, and a file's import says an address that opens it."""
    told = httpx.post(
        f"{server.endpoint}/openai/v1/files/import",
        json={
            "filename": "a.jsonl",
            "purpose": "batch",
            "content_url": f"https://127.0.0.1:9/a.jsonl?sig={SECRET}",
        },
        headers={"api-key": server.key},
    )
    assert told.is_success, told.text
    later = chat(server, "kept").headers["apim-request-id"]
    wait_for(lambda: later in {each["name"] for each in listed(server, ACCOUNT)})
    kept = {each["name"] for each in listed(server, ACCOUNT)}
    assert told.headers["apim-request-id"] not in kept


def test_who_may_read_it(server: Server, reader: str) -> None:
    """No owner, no key: a role that grants the data action; and each reading is audited."""
    answer = chat(server, "audited")
    request_id = answer.headers["apim-request-id"]
    content(server, answer, reader)
    owner = somebody(server, "owner", OWNER)
    for bearer in (owner, ""):
        refused = manage(server, "POST", f"{ACCOUNT}/{RECORDS}/{request_id}/read", bearer=bearer)
        assert refused.status_code == 403, refused.text
        assert refused.json()["error"]["code"] == "AuthorizationFailed"
    listed = manage(server, "GET", f"{ACCOUNT}/{RECORDS}", bearer=owner).json()["value"]
    assert listed[0]["properties"]["requestId"] == request_id
    assert "audited" not in json.dumps(listed)
    entries = manage(server, "GET", f"{SUBSCRIPTION}/providers/Linarite.Operations/auditEvents")
    readings = [
        each
        for each in entries.json()["value"]
        if request_id in json.dumps(each) and "contentRecords/read" in json.dumps(each)
    ]
    outcomes = [each["outcome"] for each in readings]
    assert outcomes.count("Refused") == 2
    assert outcomes.count("Started") == outcomes.count("Succeeded") == 1


def test_the_command_line_reads_it(server: Server, reader: str) -> None:
    """By the request's id, with the token of somebody who may."""
    answer = chat(server, SECRET)
    content(server, answer, reader)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "linarite.main", "content", "read"),
            *(answer.headers["apim-request-id"], "--key", "env:TOKEN"),
        ],
        env=clean_environment() | {"LINARITE_HOME": str(server.home), "TOKEN": reader},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["prompt"]["messages"][0]["content"] == SECRET


def test_a_client_that_left_and_pages(server: Server, reader: str) -> None:
    """Of an answer that broke off, what there was; lists go on where they ended."""
    with httpx.stream(
        "POST",
        f"{server.endpoint}/openai/deployments/gpt-4o/chat/completions",
        params={"api-version": "2024-10-21"},
        headers={"api-key": server.key},
        json={
            "messages": [{"role": "user", "content": SECRET}],
            "stream": True,
            "max_tokens": 4000,
        },
    ) as answer:
        next(answer.iter_raw())
    kept = content(server, answer, reader)
    assert kept["prompt"]["messages"][0]["content"] == SECRET
    chat(server, "the next")
    wait_for(lambda: listed(server, ACCOUNT)[0]["name"] != kept["request"]["requestId"])
    first = manage(server, "GET", f"{ACCOUNT}/{RECORDS}", **{"$top": "1"}).json()
    assert len(first["value"]) == 1
    key = server.ready["management_key"]
    second = httpx.get(first["nextLink"], headers={"authorization": f"Bearer {key}"}).json()
    assert second["value"][0]["name"] == kept["request"]["requestId"]


def disk_holds(folder: Path, text: str) -> list[str]:
    """The files under a folder in which a text stands in the clear."""
    wanted = text.encode()
    return [
        str(path) for path in folder.rglob("*") if path.is_file() and wanted in path.read_bytes()
    ]


def test_nothing_is_on_disk_in_the_clear(tmp_path: Path) -> None:
    """Neither while it is off nor while it is on; a purge leaves nothing that could be opened."""
    home = tmp_path / "home"
    other = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/other"
    deleted = (
        f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/local"
        "/resourceGroups/linarite/deletedAccounts/other"
    )
    with stopped(start_server(home, SIMULATED)) as server:
        off = chat(server, SECRET)
        switch(server, "Enabled")
        reader = somebody(server, "reader", CONTENT_READER)
        on = chat(server, SECRET)
        said = on.json()["choices"][0]["message"]["content"]
        assert content(server, on, reader)["completion"]["choices"][0]["message"]["content"] == said
        assert read_once(server, off, reader).status_code == 404
        assert disk_holds(home, SECRET) == []
        assert disk_holds(home, said) == []
        with closing(sqlite3.connect(home / "content.db")) as stored:
            stored.execute("UPDATE content_records SET sealed = 'AAAA' || substr(sealed, 5)")
            stored.commit()
        damaged = read_once(server, on, reader)
        assert (damaged.status_code, damaged.json()["error"]["code"]) == (409, "ContentDamaged")
        body = {"location": "local", "kind": "OpenAI", "sku": {"name": "S0"}, "properties": {}}
        query = "?api-version=2024-10-01"
        key = f"Bearer {server.ready['management_key']}"
        head = {"authorization": key}
        url = f"{server.endpoint}{other}"
        assert httpx.put(url + query, json=body, headers=head).status_code == 201
        switch(server, "Enabled", account=other)
        other_key = httpx.post(f"{url}/listKeys{query}", headers=head).json()["key1"]
        refused = httpx.post(
            f"{server.endpoint}/other/openai/deployments/none/chat/completions",
            params={"api-version": "2024-10-21"},
            headers={"api-key": other_key},
            json={"messages": [{"role": "user", "content": SECRET}]},
        )
        assert refused.status_code == 404
        wait_for(lambda: listed(server, other))
        assert httpx.delete(url + query, headers=head).status_code in {200, 202, 204}
        assert httpx.delete(f"{server.endpoint}{deleted}{query}", headers=head).is_success
        assert httpx.put(url + query, json=body, headers=head).status_code == 201
        assert listed(server, other) == []
        assert disk_holds(home, SECRET) == []
        removed = manage(server, "GET", f"{SUBSCRIPTION}/providers/Linarite.Operations/auditEvents")
        assert '"removed":1' in removed.text.replace(" ", "")


def read_once(server: Server, answer: httpx.Response, bearer: str) -> httpx.Response:
    """Without waiting for it to come."""
    path = f"{ACCOUNT}/{RECORDS}/{answer.headers['apim-request-id']}/read"
    return manage(server, "POST", path, bearer=bearer)


def listed(server: Server, account: str) -> list[Any]:
    """What an account has kept."""
    return manage(server, "GET", f"{account}/{RECORDS}").json()["value"]


def wait_for(condition: Any) -> None:  # noqa: ANN401 - a function
    """Until it holds, for a while."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_settings_may_forbid_it(tmp_path: Path) -> None:
    """The switch can't be turned on."""
    home = tmp_path / "home"
    with stopped(start_server(home, f"{SIMULATED}\n[content_log]\nallowed = false\n")) as server:
        body = {"properties": {"state": "Enabled"}}
        refused = manage(server, "PUT", f"{ACCOUNT}/{SWITCH}", body)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "ContentLoggingNotAllowed"
