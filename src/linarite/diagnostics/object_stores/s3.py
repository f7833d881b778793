"""S3, and what speaks like it: nothing can be appended there, so each batch is an object.

An object's name is made of what is in it: a batch that comes again writes the same one again.
Source: docs.aws.amazon.com, "PutObject".
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from linarite.diagnostics.object_stores.endpoint import StoreEndpoint, store_of
from linarite.diagnostics.sinks.files import files_of
from linarite.domain.errors import SetupError
from linarite.domain.sigv4 import SigningKey, signature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.diagnostics.options import SinkSettings
    from linarite.domain.diagnostics import DiagnosticRecord
    from linarite.domain.dial import Dialer

DONE = 200
PAUSE_S = 10.0
NAME_DIGITS = 16
PLAIN = "/-._~"
"""what stands as it is in a path that is signed, beside letters and digits"""


class S3Sink:
    """Returns when the store has the objects. The bucket must be there."""

    pause_s = PAUSE_S
    """fewer, larger objects: one takes what has come meanwhile, or a full batch"""

    def __init__(self, settings: SinkSettings, dialer: Dialer, account_id: str) -> None:
        """Raises SetupError for settings that can't work."""
        check_s3(settings)
        self._endpoint = StoreEndpoint(settings, dialer, account_id)
        self._bucket = settings.bucket
        self._key = SigningKey(settings.access_key_id, settings.secret_access_key, settings.region)
        self.close = self._endpoint.close

    async def write(self, records: Sequence[DiagnosticRecord]) -> int:
        """Write an object for each category and hour. Raises SinkDown."""
        for place, lines in files_of(records).items():
            body = b"".join(lines)
            digest = hashlib.sha256(body).hexdigest()
            folder, _, file = place.rpartition("/")
            name = file.replace(".json", f"_{digest[:NAME_DIGITS]}.json")
            path = f"{self._endpoint.prefix}/{self._bucket}/{folder}/{name}"
            path = quote(path, safe=PLAIN)
            headers = {
                "content-type": "application/json",
                "x-amz-content-sha256": digest,
                "x-amz-date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
            }
            signed = headers | {"host": self._endpoint.host_header}
            headers["authorization"] = signature(self._key, "PUT", path, signed, digest)
            answer = await self._endpoint.put(path, headers, body)
            if answer.status != DONE:
                raise self._endpoint.refused(answer, f"writing to the bucket {self._bucket}")
        return 0


def check_s3(settings: SinkSettings) -> None:
    """Raise SetupError for what can't work."""
    store_of(settings)
    for name in ("bucket", "region", "access_key_id", "secret_access_key"):
        if not getattr(settings, name):
            raise SetupError(f"{name} is empty, and an s3 has one.")
