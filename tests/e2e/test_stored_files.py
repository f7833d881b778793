"""Files of an account: whose they are, what a killed server keeps, what goes with the account."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from linarite.dataplane.routes import ROUTES
from tests.faults.test_application_keys_killed import manage
from tests.faults.test_provisioning_killed import arm
from tests.serving import SIMULATED, serving, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.serving import Server

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/linarite"
ACCOUNTS = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts"
DELETED = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.CognitiveServices"
    "/locations/local/resourceGroups/linarite/deletedAccounts"
)
ROLES = "/providers/Microsoft.Authorization/roleDefinitions"
CONTRIBUTOR = "a001fd3d-188f-4b5d-821b-7da978bf7442"
USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
V1, DATED = "/openai/v1", "/openai"
PATIENCE_S = 30.0
ID_CHARACTERS_MIN = 30
NOBODYS_FILE = "file-of-nobody"
CHAT = "/v1/chat/completions"
LATER = """
[[deployments]]
name = "later"
model = "gpt-4o"
sku = "GlobalBatch"
instance = "simulated"

[[deployments]]
name = "slow"
model = "gpt-4o"
sku = "GlobalBatch"
instance = "slow"

[instances.slow]
engine = "simulator"
model = "gpt-4o"
options = { time_to_first_token_ms = 60000 }
"""
MESSAGE = {"type": "message", "role": "user", "content": "mine"}


class Owner(NamedTuple):
    """Somebody with a key, at an account."""

    url: str
    key: str

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx
        """A request on the data plane."""
        dated = not path.startswith(V1)
        # Those of responses, stored completions and vector stores are not in all versions.
        late = path.startswith(("/openai/responses", "/openai/chat/", "/openai/vector_stores"))
        query = {"api-version": "2025-04-01-preview" if late else "2024-10-21"} if dated else {}
        return httpx.request(
            method,
            f"{self.url}{path}",
            params=query | more.pop("params", {}),
            headers={"api-key": self.key},
            timeout=30,
            **more,
        )

    def store(self, content: bytes = b"mine", purpose: str = "assistants") -> str:
        """The id of a new file."""
        form = {"purpose": purpose}
        made = self.ask("POST", f"{V1}/files", data=form, files={"file": ("a.jsonl", content)})
        assert made.status_code == 200, made.text
        return str(made.json()["id"])

    def ids(self) -> list[str]:
        """What its list shows."""
        return [each["id"] for each in self.ask("GET", f"{V1}/files").json()["data"]]


def mine(server: Server) -> Owner:
    """The holder of the settings' account's key."""
    return Owner(server.endpoint, server.key)


def new_account(server: Server, name: str) -> Owner:
    """Another account, by its path."""
    body = {
        "location": "local",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {"customSubDomainName": name},
    }
    made = arm(server, "PUT", f"{ACCOUNTS}/{name}", body)
    assert made.status_code in {200, 201, 202}, made.text
    wait_for(lambda: arm(server, "GET", f"{ACCOUNTS}/{name}").status_code == 200)
    key = arm(server, "POST", f"{ACCOUNTS}/{name}/listKeys").json()["key1"]
    return Owner(f"{server.endpoint}/{name}", key)


def wait_for(condition: Any) -> None:  # noqa: ANN401 - a function
    """Until it holds, for a while."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One on which people see their own files alone."""
    settings = (
        SIMULATED
        + LATER
        + '\n[files]\nvisible_to = "creator"\n'
        + '[egress.webhook_endpoint]\nallowed_hosts = ["hooks.example"]\n'
    )
    yield from serving(tmp_path_factory.mktemp("stored"), settings)


@pytest.fixture(scope="module")
def others(server: Server) -> dict[str, Owner]:
    """Another account's owner, and an application that may do everything at the same account."""
    return {
        "account": new_account(server, "stranger"),
        "application": application(server, "other", CONTRIBUTOR),
    }


def application(server: Server, name: str, role: str) -> Owner:
    """The holder of an application's key with a role."""
    key = manage(server, "PUT", name, roleDefinitionId=f"{ROLES}/{role}")["key"]
    return Owner(server.endpoint, key)


def stored_file(owner: Owner) -> str:
    """Its path."""
    return f"/files/{owner.store()}"


def begun_upload(owner: Owner, content: bytes = b"") -> str:
    """Its path."""
    said = {"filename": "a", "purpose": "assistants", "bytes": len(content), "mime_type": "x/y"}
    made = owner.ask("POST", f"{V1}/uploads", json=said)
    assert made.status_code == 200, made.text
    return f"/uploads/{made.json()['id']}"


def response(owner: Owner) -> str:
    """Its path."""
    made = owner.ask("POST", f"{V1}/responses", json={"model": "gpt-4o", "input": "mine"})
    assert made.status_code == 200, made.text
    return f"/responses/{made.json()['id']}"


def background_response(owner: Owner) -> str:
    """Its path."""
    said = {"model": "gpt-4o", "input": "mine", "background": True, "stream": True}
    made = owner.ask("POST", f"{V1}/responses", json=said)
    assert made.status_code == 200, made.text
    response_id = made.text.partition('"id":"')[2].partition('"')[0]
    return f"/responses/{response_id}"


def conversation(owner: Owner) -> str:
    """Its path."""
    made = owner.ask("POST", f"{V1}/conversations", json={"items": [MESSAGE]})
    assert made.status_code == 200, made.text
    return f"/conversations/{made.json()['id']}"


def webhook_endpoint(owner: Owner) -> str:
    """Its path."""
    body = {"name": "a", "url": "https://hooks.example", "event_types": ["batch.completed"]}
    made = owner.ask("POST", f"{V1}/dashboard/webhook_endpoints", json=body)
    assert made.status_code == 200, made.text
    return f"/dashboard/webhook_endpoints/{made.json()['id']}"


def conversation_item(owner: Owner) -> str:
    """Its path."""
    path = conversation(owner)
    listed = owner.ask("GET", f"{V1}{path}/items").json()["data"]
    return f"{path}/items/{listed[0]['id']}"


def stored_completion(owner: Owner) -> str:
    """Its path."""
    asked = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "hello"}],
        "store": True,
        "metadata": {"made": "here"},
    }
    made = owner.ask("POST", f"{V1}/chat/completions", json=asked)
    assert made.status_code == 200, made.text
    return f"/chat/completions/{made.json()['id']}"


def begin_batch(owner: Owner, file_id: str) -> httpx.Response:
    """A batch of a file, asked for."""
    asked = {"input_file_id": file_id, "endpoint": CHAT, "completion_window": "24h"}
    return owner.ask("POST", f"{V1}/batches", json=asked)


def batch_line(deployment: str) -> bytes:
    """A file for a batch with one request."""
    body = {"model": deployment, "messages": [{"role": "user", "content": "Hi."}], "max_tokens": 2}
    return json.dumps({"custom_id": "one", "method": "POST", "url": CHAT, "body": body}).encode()


def running_batch(owner: Owner) -> str:
    """Its path; it takes longer than any test."""
    made = begin_batch(owner, owner.store(batch_line("slow"), "batch"))
    assert made.status_code == 201, made.text
    return f"/batches/{made.json()['id']}"


def vector_store(owner: Owner) -> str:
    """Its path."""
    made = owner.ask("POST", f"{V1}/vector_stores", json={"name": "mine"})
    assert made.status_code == 200, made.text
    return f"/vector_stores/{made.json()['id']}"


def store_file(owner: Owner) -> str:
    """Its path."""
    store = vector_store(owner)
    made = owner.ask("POST", f"{V1}{store}/files", json={"file_id": owner.store()})
    assert made.status_code == 200, made.text
    return f"{store}/files/{made.json()['id']}"


def store_batch(owner: Owner) -> str:
    """Its path."""
    store = vector_store(owner)
    made = owner.ask("POST", f"{V1}{store}/file_batches", json={"file_ids": [owner.store()]})
    assert made.status_code == 200, made.text
    return f"{store}/file_batches/{made.json()['id']}"


class Stored(NamedTuple):
    """A kind of what is stored: how it is made, and what can be asked of one."""

    make: Callable[[Owner], str]
    operations: dict[str, dict[str, Any]]
    bases: tuple[str, ...] = (V1, DATED)


KINDS = [
    Stored(stored_file, {"GET": {}, "GET /content": {}, "DELETE": {}}),
    Stored(
        begun_upload,
        {
            "POST /parts": {"files": {"data": ("a", b"x")}},
            "POST /complete": {"json": {"part_ids": []}},
            "POST /cancel": {},
        },
    ),
    Stored(running_batch, {"GET": {}, "POST /cancel": {}}),
    Stored(response, {"GET": {}, "GET /input_items": {}, "POST /cancel": {}, "DELETE": {}}),
    Stored(
        background_response,
        {"GET": {"params": {"stream": "true"}}, "POST /cancel": {}, "DELETE": {}},
    ),
    Stored(
        conversation,
        {
            "GET": {},
            "POST": {"json": {"metadata": {}}},
            "GET /items": {},
            "POST /items": {"json": {"items": [MESSAGE]}},
            "DELETE": {},
        },
        bases=(V1,),
    ),
    Stored(conversation_item, {"GET": {}, "DELETE": {}}, bases=(V1,)),
    Stored(
        webhook_endpoint,
        {"GET": {}, "POST": {"json": {"name": "b"}}, "DELETE": {}},
        bases=(V1,),
    ),
    Stored(
        stored_completion,
        {
            "GET": {},
            "GET /messages": {},
            "POST": {"json": {"metadata": {"a": "b"}}},
            "DELETE": {},
        },
    ),
    Stored(
        vector_store,
        {
            "GET": {},
            "POST": {"json": {"name": "changed"}},
            "POST /search": {"json": {"query": "mine"}},
            "GET /files": {},
            "POST /files": {"json": {"file_id": NOBODYS_FILE}},
            "POST /file_batches": {"json": {"file_ids": [NOBODYS_FILE]}},
            "DELETE": {},
        },
    ),
    Stored(
        store_file,
        {
            "GET": {},
            "POST": {"json": {"attributes": {"a": 1}}},
            "GET /content": {},
            "DELETE": {},
        },
    ),
    Stored(store_batch, {"GET": {}, "GET /files": {}, "POST /cancel": {}}),
]


class Asked(NamedTuple):
    """What is asked of one object: whose path ends in its id."""

    make: Callable[[Owner], str]
    method: str
    place: str
    more: dict[str, Any]


OPERATIONS = [
    Asked(kind.make, method, f"{base}{{}}{rest}", more)
    for kind in KINDS
    for base in kind.bases
    for (method, _, rest), more in [(each.partition(" "), m) for each, m in kind.operations.items()]
]


def test_no_route_of_a_stored_object_is_forgotten(server: Server) -> None:
    """Whatever the table of the data plane has under an id, a stranger asks for below."""
    asked: set[tuple[str, str]] = set()
    paths = {kind.make: kind.make(mine(server)) for kind in KINDS}
    for each in OPERATIONS:
        whole = each.place.format(paths[each.make])
        parts = ["{}" if len(part) >= ID_CHARACTERS_MIN else part for part in whole.split("/")]
        asked.add((each.method, "/".join(parts)))
    for route in ROUTES:
        if "{" in route.template and "{model}" not in route.template:
            for base in (V1, DATED) if route.versions else (V1,):
                row = (route.method, re.sub(r"{\w+}", "{}", base + route.template))
                assert row in asked, "a row of KINDS must ask for it"


@pytest.mark.parametrize("asked", OPERATIONS, ids=lambda asked: f"{asked.method}-{asked.place}")
def test_anothers_object_is_like_an_absent_one(
    server: Server, others: dict[str, Owner], asked: Asked
) -> None:
    """To another account, and to another application of the same account: the same answer."""
    path = asked.make(mine(server))
    object_id = path.rpartition("/")[2]
    absent = object_id[:-29] + "0" * 29
    there, nowhere = (asked.place.format(each) for each in (path, path.replace(object_id, absent)))
    for stranger in (others["account"], others["application"]):
        told = stranger.ask(asked.method, there, **asked.more)
        of_absent = stranger.ask(asked.method, nowhere, **asked.more)
        assert told.status_code == of_absent.status_code == 404, told.text
        assert told.text.replace(object_id, absent) == of_absent.text
    own = mine(server).ask(asked.method, there, **asked.more)
    # Whoever may see a vector store is told that the file that shall come into it is not there.
    understood = (own.status_code == 400 and there.endswith("/cancel")) or NOBODYS_FILE in own.text
    assert own.is_success or understood, own.text


def test_lists_show_nothing_of_others(server: Server, others: dict[str, Owner]) -> None:
    """Neither as a whole nor after an id that somebody else's object has."""
    file_id = mine(server).store()
    stored_completion(mine(server))
    running_batch(mine(server))
    webhook_endpoint(mine(server))
    store_file(mine(server))
    for stranger in (others["account"], others["application"]):
        assert stranger.ids() == []
        paged = stranger.ask("GET", f"{V1}/files", params={"after": file_id})
        assert paged.json()["data"] == []
        for place in (
            "chat/completions",
            "vector_stores",
            "batches",
            "dashboard/webhook_endpoints",
            f"batches?after=batch_{'f' * 36}",
        ):
            assert stranger.ask("GET", f"{V1}/{place}").json()["data"] == []
    assert mine(server).ask("GET", f"{V1}/files/{file_id}/content").content == b"mine"


def test_nobody_has_anothers_file_answered(server: Server, others: dict[str, Owner]) -> None:
    """It is as absent as any other to whoever makes a batch."""
    file_id, absent = mine(server).store(b"{}", "batch"), f"file-{'0' * 32}"
    for stranger in (others["account"], others["application"]):
        stolen, of_absent = (begin_batch(stranger, each) for each in (file_id, absent))
        assert stolen.status_code == of_absent.status_code == 400
        assert stolen.text.replace(file_id, absent) == of_absent.text


def test_what_a_batch_leaves_belongs_to_its_maker(server: Server) -> None:
    """Its files are seen by whoever made it, and by nobody else of the account."""
    maker = application(server, "batcher", CONTRIBUTOR)
    made = begin_batch(maker, maker.store(batch_line("later"), "batch"))
    where = f"{V1}/batches/{made.json()['id']}"
    wait_for(lambda: maker.ask("GET", where).json()["status"] == "completed")
    file_id = maker.ask("GET", where).json()["output_file_id"]
    assert b"chat.completion" in maker.ask("GET", f"{V1}/files/{file_id}/content").content
    assert mine(server).ask("GET", f"{V1}/files/{file_id}").status_code == 404
    assert file_id not in mine(server).ids()


def test_an_application_keeps_its_own(server: Server) -> None:
    """What it makes it finds, though others of the account do not."""
    maker = application(server, "maker", CONTRIBUTOR)
    made = maker.store(b"made")
    assert maker.ids() == [made]
    assert maker.ask("GET", f"{V1}/files/{made}/content").content == b"made"
    assert made not in mine(server).ids()


def test_a_role_says_who_may(server: Server) -> None:
    """A key for asking models stores nothing."""
    asks = application(server, "asks", USER)
    form = {"data": {"purpose": "assistants"}, "files": {"file": ("a.txt", b"x")}}
    told = asks.ask("POST", f"{V1}/files", **form)
    assert told.status_code == 401, told.text
    assert told.json()["error"]["code"] == "PermissionDenied"


def test_who_has_had_all_of_a_file_has_not_left(server: Server) -> None:
    """Its length was told: clients close with the last byte, and their records say no other."""
    owner = mine(server)
    content = f"{V1}/files/{owner.store()}/content"
    head = f"GET {content} HTTP/1.1\r\nhost: 127.0.0.1\r\napi-key: {server.key}\r\n\r\n"
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", urlsplit(server.endpoint).port)) as connection:
            connection.sendall(head.encode())
            while not (got := connection.recv(65536)).endswith(b"mine"):
                assert got
    with closing(sqlite3.connect(Path(server.ready["home"]) / "requests.db")) as records:
        query = "SELECT finish FROM request_records WHERE path = ?"

        def finishes() -> list[str]:
            return [row[0] for row in records.execute(query, (content,))]

        wait_for(lambda: len(finishes()) == 10)
        assert "client_left" not in finishes()


def test_what_was_acknowledged_survives(tmp_path: Path) -> None:
    """A killed server has every file whole, none that was deleted, and no bytes without a file."""
    server = start_server(tmp_path, SIMULATED)
    kept = [mine(server).store(bytes([number]) * 100_000) for number in range(8)]
    gone = mine(server).store(b"gone")
    assert mine(server).ask("DELETE", f"{V1}/files/{gone}").is_success
    head = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    with httpx.Client(base_url=server.endpoint, headers={"api-key": server.key}) as client:
        headers = {"content-type": "multipart/form-data; boundary=b", "content-length": "90000000"}

        def sent() -> Iterator[bytes]:
            yield head + b"x" * 70_000
            server.kill()
            while True:  # until the connection tells that nobody reads any more
                yield b"x" * 1000

        with pytest.raises(httpx.HTTPError):
            client.post(f"{V1}/files", content=sent(), headers=headers)
    orphan = tmp_path / "files" / "orphan"
    orphan.write_bytes(b"of a server that died before it made the file")
    with stopped(start_server(tmp_path, SIMULATED)) as again:
        owner = mine(again)
        assert owner.ids() == kept[::-1]
        for number, file_id in enumerate(kept):
            content = owner.ask("GET", f"{V1}/files/{file_id}/content").content
            assert content == bytes([number]) * 100_000
        wait_for(lambda: len(list((tmp_path / "files").iterdir())) == len(kept))


def test_an_upload_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """Killed while it is completed: afterwards the file is there, or the upload still is.

    The bytes that are kept are those of either, and no more.
    """
    piece = bytes(range(256)) * 60_000
    server = start_server(tmp_path, SIMULATED)
    upload = begun_upload(mine(server), piece * 2)
    parts: list[str] = []
    for _ in range(2):
        form = {"data": ("a", piece)}
        parts.append(mine(server).ask("POST", f"{V1}{upload}/parts", files=form).json()["id"])
    body = {"part_ids": parts}
    for delay_s in (0.01, 0.03):
        end = threading.Timer(delay_s, server.kill)
        end.start()
        try:
            done = mine(server).ask("POST", f"{V1}{upload}/complete", json=body).is_success
        except httpx.HTTPError:
            done = False
        end.join()
        server = start_server(tmp_path, SIMULATED)
        found = mine(server).ids()
        assert found or not done
        wait_for(
            lambda found=found: len(list((tmp_path / "files").iterdir())) == (2, 1)[len(found)]
        )
    with stopped(server):
        told = mine(server).ask("POST", f"{V1}{upload}/complete", json=body).json()
        assert told["status"] == "completed"
        assert mine(server).ids() == [told["file"]["id"]]
        content = mine(server).ask("GET", f"{V1}/files/{told['file']['id']}/content").content
        assert content == piece * 2


def test_files_go_with_their_account(tmp_path: Path) -> None:
    """Kept while it can be recovered; purged with it, before the name can be had again."""
    with stopped(start_server(tmp_path, SIMULATED)) as server:
        brief = new_account(server, "brief")
        file_id = brief.store()
        arm(server, "DELETE", f"{ACCOUNTS}/brief")
        wait_for(lambda: arm(server, "GET", f"{DELETED}/brief").status_code == 200)
        restored = {"location": "local", "properties": {"restore": True}}
        arm(server, "PUT", f"{ACCOUNTS}/brief", restored)
        wait_for(lambda: arm(server, "GET", f"{ACCOUNTS}/brief").status_code == 200)
        wait_for(lambda: brief.ask("GET", f"{V1}/files").status_code == 200)
        assert brief.ids() == [file_id]
        arm(server, "DELETE", f"{ACCOUNTS}/brief")
        wait_for(lambda: arm(server, "GET", f"{DELETED}/brief").status_code == 200)
        arm(server, "DELETE", f"{DELETED}/brief")
        wait_for(lambda: arm(server, "GET", f"{DELETED}/brief").status_code == 404)
        assert new_account(server, "brief").ids() == []
        assert list((tmp_path / "files").iterdir()) == []
