"""Signatures that others have published or made, to the letter."""

from __future__ import annotations

import base64
import hashlib

from linarite.diagnostics.object_stores.shared_key import shared_key
from linarite.domain.sigv4 import SigningKey, signature

EXAMPLE = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
EMULATOR_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def test_the_example_of_amazons_own_page() -> None:
    """PUT Object of "Authenticating Requests: Using the Authorization Header"."""
    digest = hashlib.sha256(b"Welcome to Amazon S3.").hexdigest()
    headers = {
        "date": "Fri, 24 May 2013 00:00:00 GMT",
        "host": "examplebucket.s3.amazonaws.com",
        "x-amz-content-sha256": digest,
        "x-amz-date": "20130524T000000Z",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
    }
    key = SigningKey(*EXAMPLE, region="us-east-1")
    assert signature(key, "PUT", "/test%24file.text", headers, digest) == (
        "AWS4-HMAC-SHA256 "
        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )


def test_what_botocore_signs() -> None:
    """As version 1.44, for a request as the sink makes it."""
    digest = hashlib.sha256(b"hello world").hexdigest()
    headers = {
        "content-type": "application/json",
        "host": "s3.eu-central-1.amazonaws.com",
        "x-amz-content-sha256": digest,
        "x-amz-date": "20261126T100000Z",
    }
    path = "/logs/insights-logs-audit/resourceId%3D/A/PT1H_1.json"
    told = signature(SigningKey(*EXAMPLE, region="eu-central-1"), "PUT", path, headers, digest)
    assert told.endswith(
        "Signature=eebd86879d4108c6ab04c481679efa0379a62b0fd267f1bf2473bf23992ee8c4"
    )


def test_what_azures_library_signs() -> None:
    """As azure-storage-blob 12.31, for a request as the sink makes it."""
    headers = {
        "x-ms-version": "2021-12-02",
        "x-ms-date": "Thu, 26 Nov 2026 10:00:00 GMT",
        "content-length": "11",
        "content-type": "application/json",
        "if-none-match": "*",
        "x-ms-blob-type": "AppendBlob",
    }
    path = "/insights-logs-audit/resourceId=/SUBSCRIPTIONS/S/y=2026/PT1H.json?comp=appendblock"
    key = base64.b64decode(EMULATOR_KEY)
    told = shared_key("contoso", key, "PUT", path, headers)
    assert told == "SharedKey contoso:OEQCqB72XbtqncV0cs0TOWNakfFsE+V7CKq9I+4z3LY="
