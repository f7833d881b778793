"""Diagnostic settings of a real server with object stores that go away, and a kill meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.diagnostics.object_stores.stores import (
    ACCESS_KEY_ID,
    ACCOUNT_KEY,
    BUCKET,
    REGION,
    SECRET,
    BlobHandler,
    RunningStore,
    S3Handler,
)
from tests.diagnostics.test_served import PARTNER, Running, until
from tests.serving import SIMULATED, start_server

if TYPE_CHECKING:
    from pathlib import Path

STORAGE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts"


def settings_file(blobs: RunningStore, bucket: RunningStore) -> str:
    """A server with a storage account and a bucket."""
    return f"""
{SIMULATED}
[diagnostic_sinks.ops]
kind = "azure_blob"
url = "{blobs.url}/ops"
account_key = "{ACCOUNT_KEY}"
[diagnostic_sinks.lake]
kind = "s3"
url = "{bucket.url}"
bucket = "{BUCKET}"
region = "{REGION}"
access_key_id = "{ACCESS_KEY_ID}"
secret_access_key = "{SECRET}"
"""


def ids_in(store: RunningStore) -> list[str]:
    """Requests of which it has a record of the category RequestResponse."""
    return [
        json.loads(line)["correlationId"]
        for name, content in sorted(store.store.blobs.items())
        if name.startswith("insights-logs-requestresponse/")
        for line in content.splitlines()
    ]


def test_nothing_is_lost_while_stores_are_away(tmp_path: Path) -> None:
    """Neither by a store that is down nor by a server that is killed; `az` names both alike."""
    blobs, bucket = RunningStore(BlobHandler), RunningStore(S3Handler)
    text = settings_file(blobs, bucket)
    running = Running(start_server(tmp_path, text))
    try:
        for name, where in (("a", f"{STORAGE}/ops"), ("b", f"{STORAGE}/lake")):
            made = running.put(name, storageAccountId=where)
            assert made.status_code == 200, made.text
        assert running.put("c", marketplacePartnerId=f"{PARTNER}/lake").status_code == 409
        ids = [running.chat()]
        until(lambda: set(ids) <= set(ids_in(blobs)))
        blobs.stop()
        bucket.stop()
        ids += [running.chat() for _ in range(3)]
        until(
            lambda: any(
                each["state"] == "Waiting" and each["reason"] == "the object store can't be reached"
                for each in running.deliveries()
            )
        )
        running.server.kill()
        blobs.start()
        bucket.start()
        running = Running(start_server(tmp_path, text))
        ids.append(running.chat())
        until(lambda: set(ids) <= set(ids_in(blobs)))
        until(lambda: set(ids[:-1]) <= set(ids_in(bucket)), within_s=30)
        assert sum(each["lost"] for each in running.deliveries()) == 0
    finally:
        running.server.stop()
        blobs.stop()
        bucket.stop()
