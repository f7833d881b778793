"""Object stores as sinks, over real sockets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from linarite.diagnostics.object_stores import azure_blob
from linarite.diagnostics.object_stores.azure_blob import AzureBlobSink
from linarite.diagnostics.object_stores.s3 import S3Sink
from linarite.diagnostics.options import SinkSettings
from linarite.diagnostics.sinks.opening import check_sink, sink_hosts
from linarite.diagnostics.sinks.sink import SinkDown
from linarite.domain.errors import SetupError
from tests.diagnostics.object_stores.stores import (
    ACCESS_KEY_ID,
    ACCOUNT_KEY,
    BUCKET,
    REGION,
    SAS,
    SECRET,
    BlobHandler,
    RunningStore,
    S3Handler,
    running,
)
from tests.diagnostics.test_sinks import ACCOUNT, dialer, record

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio
FOLDER = "insights-logs-trace/resourceId=/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/"


@pytest.fixture
def blobs() -> Iterator[RunningStore]:
    """An empty account."""
    yield from running(BlobHandler)


@pytest.fixture
def bucket() -> Iterator[RunningStore]:
    """An empty bucket."""
    yield from running(S3Handler)


def blob_settings(url: str, **fields: Any) -> SinkSettings:  # noqa: ANN401 - settings
    """Those of a storage account."""
    key: dict[str, Any] = {} if "sas_token" in fields else {"account_key": ACCOUNT_KEY}
    return SinkSettings(kind="azure_blob", url=f"{url}/ops", **(key | fields))


def s3_settings(url: str, **fields: Any) -> SinkSettings:  # noqa: ANN401 - settings
    """Those of a bucket."""
    whole: dict[str, Any] = {
        "bucket": BUCKET,
        "region": REGION,
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET,
    }
    return SinkSettings(kind="s3", url=url, **(whole | fields))


def ids_in(content: bytes) -> list[str]:
    """The records' requests, line by line."""
    return [json.loads(line)["correlationId"] for line in content.splitlines()]


@pytest.mark.parametrize("opens", [{}, {"sas_token": f"?{SAS}"}])
async def test_blobs_grow_by_blocks(blobs: RunningStore, opens: dict[str, str]) -> None:
    """Containers and blobs are made once; by key and by signature."""
    sink = AzureBlobSink(blob_settings(blobs.url, **opens), dialer("127.0.0.1"), ACCOUNT)
    assert await sink.write([record("a"), record("ü")]) == 0
    assert await sink.write([record("c")]) == 0
    await sink.close()
    another = AzureBlobSink(blob_settings(blobs.url, **opens), dialer("127.0.0.1"), ACCOUNT)
    await another.write([record("d")])
    await another.close()
    [(name, content)] = blobs.store.blobs.items()
    assert name.startswith(FOLDER)
    assert name.endswith("/m=00/PT1H.json")
    assert ids_in(content) == ["a", "ü", "c", "d"]
    assert blobs.store.containers == {"insights-logs-trace"}
    assert len(blobs.store.requests) == 6  # one in vain, the container, the blob, three blocks


async def test_blocks_are_as_large_as_they_may_be(
    blobs: RunningStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes at once may need several."""
    monkeypatch.setattr(azure_blob, "BLOCK_BYTES_MAX", 2000)
    sink = AzureBlobSink(blob_settings(blobs.url), dialer("127.0.0.1"), ACCOUNT)
    names = [f"r{number}" for number in range(20)]
    await sink.write([record(name) for name in names])
    await sink.close()
    [content] = blobs.store.blobs.values()
    assert ids_in(content) == names
    assert len(blobs.store.requests) > 8


async def test_each_batch_is_an_object(bucket: RunningStore) -> None:
    """One that comes again is the same object."""
    sink = S3Sink(s3_settings(bucket.url), dialer("127.0.0.1"), ACCOUNT)
    first = [record("a"), record("b")]
    await sink.write(first)
    await sink.write([record("c")])
    await sink.write(first)
    await sink.close()
    found = bucket.store.blobs
    assert sorted(ids_in(content) for content in found.values()) == [["a", "b"], ["c"]]
    assert all(name.startswith(FOLDER) and "/m=00/PT1H_" in name for name in found)


@pytest.mark.parametrize("status", [403, 500, 503])
async def test_what_is_refused_is_down(
    blobs: RunningStore, bucket: RunningStore, status: int
) -> None:
    """With the store's own word for it; where it is stands in the log alone."""
    sinks = (
        (blobs, AzureBlobSink(blob_settings(blobs.url), dialer("127.0.0.1"), ACCOUNT)),
        (bucket, S3Sink(s3_settings(bucket.url), dialer("127.0.0.1"), ACCOUNT)),
    )
    for store, sink in sinks:
        store.store.refusing = status
        with pytest.raises(SinkDown, match=f"answered {status} InternalError") as down:
            await sink.write([record("a")])
        assert store.url not in str(down.value)
        assert store.url in down.value.detail
        store.stop()
        with pytest.raises(SinkDown, match="can't be reached"):
            await sink.write([record("a")])
        store.start()
        store.store.refusing = 0
        await sink.write([record("a")])
        assert store.store.blobs
        await sink.close()


async def test_wrong_keys_and_absent_buckets_are_told(
    blobs: RunningStore, bucket: RunningStore
) -> None:
    """So that somebody can mend them."""
    settings = blob_settings(blobs.url, account_key="AAAA")
    blob_sink = AzureBlobSink(settings, dialer("127.0.0.1"), ACCOUNT)
    with pytest.raises(SinkDown, match="403 AuthorizationFailure"):
        await blob_sink.write([record()])
    await blob_sink.close()
    for fields, told in (
        ({"secret_access_key": "x"}, "403 AuthorizationFailure"),
        ({"region": "us-east-1"}, "403 AuthorizationFailure"),
        ({"bucket": "none"}, "404 NoSuchBucket"),
    ):
        sink = S3Sink(s3_settings(bucket.url, **fields), dialer("127.0.0.1"), ACCOUNT)
        with pytest.raises(SinkDown, match=told):
            await sink.write([record()])
        await sink.close()


async def test_nothing_goes_past_egress(blobs: RunningStore) -> None:
    """A host that settings do not name is not reached."""
    sink = AzureBlobSink(blob_settings(blobs.url), dialer("other.example.com"), ACCOUNT)
    with pytest.raises(SinkDown, match="egress"):
        await sink.write([record()])
    assert not blobs.store.requests
    named = {"a": blob_settings(blobs.url), "b": s3_settings("https://s3.example.com")}
    assert sink_hosts(named) == {"127.0.0.1", "s3.example.com"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (blob_settings("http://10.0.0.1"), "allow_plain_http"),
        (blob_settings("https://x.example.com", sas_token=""), "either an account_key or"),
        (blob_settings("https://x.example.com", account_key="?"), "not in base64"),
        (SinkSettings(kind="azure_blob", url="ops"), r"diagnostic_sinks\.x\.url"),
        (s3_settings("https://s3.example.com", bucket=""), "bucket is empty"),
        (s3_settings("https://s3.example.com?a=b"), "no '\\?'"),
    ],
)
def test_settings_that_cant_work_are_told(settings: SinkSettings, told: str) -> None:
    """Before the server starts."""
    with pytest.raises(SetupError, match=told):
        check_sink("x", settings, has_collector=False)


def test_no_secret_is_shown() -> None:
    """Where settings are printed."""
    shown = repr(s3_settings("https://s3.example.com")) + repr(blob_settings("https://b.com"))
    assert SECRET not in shown
    assert ACCOUNT_KEY not in shown
