"""Buckets and containers as sources of `linarite knowledge sync`, over real sockets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from linarite.cli.knowledge.s3_requests import Credentials, query_of, signed_headers
from tests.cli.knowledge.stores import KEY_ID, REGION, S3, SAS, SECRET, Blobs, store_of
from tests.cli.terminal import linarite
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

S3_FLAGS = ("--access-key-id", "env:ID", "--secret-access-key", "env:SECRET", "--region", REGION)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that makes vectors."""
    yield from serving(tmp_path_factory.mktemp("buckets"), SIMULATED)


@pytest.fixture
def objects() -> dict[str, bytes]:
    """What is in a store; rules alone are meant."""
    return {
        "elsewhere.md": b"Nobody asked for this.",
        "rules/a leave & more.md": b"Everybody has 30 days of holiday.",
        "rules/empty.md": b"",
        "rules/parcels.md": b"Parcels are sent on Mondays.",
        "rules/sub/x.md": b"Below it.",
    }


def test_the_signature_of_the_standard() -> None:
    """The example of Amazon's own page, "GET Bucket (List Objects)"."""
    credentials = Credentials(
        "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1"
    )
    at = datetime(2013, 5, 24, tzinfo=UTC)
    query = query_of({"prefix": "J", "max-keys": "2"})
    headers = dict(signed_headers(credentials, "examplebucket.s3.amazonaws.com", "/", query, at))
    assert headers["authorization"].endswith(
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )
    assert "wJalr" not in repr(credentials)


def synced(server: Server, *arguments: str, **variables: str) -> dict[str, Any]:
    """What a sync came to."""
    done = linarite(server.home, "knowledge", "sync", *arguments, "-o", "json", **variables)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["s3", "blob", "blob by token"])
def test_a_store_follows_a_container(server: Server, objects: dict[str, bytes], kind: str) -> None:
    """Lists in parts, names of all kinds; changes by what the store says of the content."""
    with store_of(S3 if kind == "s3" else Blobs, objects) as url:
        if kind == "s3":
            asked = ("s3://handbook/rules", "--s3-endpoint", url, *S3_FLAGS)
        else:
            flags = ("--sas", "env:SAS") if kind == "blob" else ("--storage-token", "env:TOKEN")
            asked = (f"{url}/account/handbook/rules", *flags)
        asked = (*asked, "--store", kind)
        variables = {"ID": KEY_ID, "SECRET": SECRET, "SAS": SAS, "TOKEN": "a.b.c"}
        first = synced(server, *asked, **variables)
        assert sorted(first["added"]) == ["a leave & more.md", "parcels.md", "sub/x.md"]
        assert first["problems"] == [{"path": "empty.md", "reason": "is empty"}]
        objects["rules/parcels.md"] = b"Parcels are sent on Fridays."
        del objects["rules/sub/x.md"]
        second = synced(server, *asked, **variables)
        assert (second["added"], second["changed"]) == ([], ["parcels.md"])
        assert (second["removed"], second["unchanged"]) == (["sub/x.md"], 1)


def test_what_is_not_opened(server: Server, objects: dict[str, bytes]) -> None:
    """In the store's own words, before anything is changed in the account."""
    with store_of(S3, objects) as url:
        bucket = ("knowledge", "sync", "s3://handbook/rules", "--s3-endpoint", url, *S3_FLAGS)
        done = linarite(server.home, *bucket, ID=KEY_ID, SECRET="wrong")
        assert done.returncode == 1
        assert "403 AccessDenied Access Denied" in done.stderr
        half = linarite(server.home, *bucket[:5], "--access-key-id", "env:ID", ID=KEY_ID)
        assert "--secret-access-key env:NAME" in half.stderr
        absent = ("knowledge", "sync", "s3://absent/x", "--s3-endpoint", url, *S3_FLAGS)
        done = linarite(server.home, *absent, ID=KEY_ID, SECRET=SECRET)
        assert "404 NoSuchBucket" in done.stderr
    away = linarite(server.home, *bucket, ID=KEY_ID, SECRET=SECRET)
    assert "can't be reached" in away.stderr
    plain = linarite(server.home, "knowledge", "sync", "http://store.example/a/handbook")
    assert plain.returncode == 1
    query = linarite(server.home, "knowledge", "sync", "https://n.blob.example/handbook?sig=x")
    assert "--sas env:NAME" in query.stderr
