"""Azure Blob Storage: an append blob for each category, account and hour, as Azure Monitor's.

Source: learn.microsoft.com, "Send resource logs to Azure Storage", "Append Block", "Put Blob".
"""

from __future__ import annotations

import base64
import binascii
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import quote

from linarite.diagnostics.object_stores.endpoint import StoreEndpoint, store_of
from linarite.diagnostics.object_stores.shared_key import shared_key
from linarite.diagnostics.sinks.files import files_of, parts_of
from linarite.diagnostics.sinks.sink import USUAL_PAUSE_S
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.diagnostics.object_stores.endpoint import Answer
    from linarite.diagnostics.options import SinkSettings
    from linarite.domain.diagnostics import DiagnosticRecord
    from linarite.domain.dial import Dialer

API_VERSION = "2021-12-02"
BLOCK_BYTES_MAX = 4 * 1024 * 1024
CREATED, CONFLICT, NOT_FOUND = 201, 409, 404
NO_CONTAINER = "ContainerNotFound"
PLAIN = "/=-._~"


class AzureBlobSink:
    """Returns when the store has the blocks. Containers and blobs are made when first needed."""

    pause_s = USUAL_PAUSE_S

    def __init__(self, settings: SinkSettings, dialer: Dialer, account_id: str) -> None:
        """Raises SetupError for settings that can't work."""
        check_azure_blob(settings)
        self._endpoint = StoreEndpoint(settings, dialer, account_id)
        self._key = base64.b64decode(settings.account_key)
        self._sas = settings.sas_token.lstrip("?")
        prefix = self._endpoint.prefix
        # Emulators, and stores of one's own, have the account's name in the path.
        self._account = prefix.strip("/") or self._endpoint.host_header.partition(".")[0]
        self.close = self._endpoint.close

    async def write(self, records: Sequence[DiagnosticRecord]) -> int:
        """Append each record to the blob of its category and hour. Raises SinkDown."""
        for place, lines in files_of(records).items():
            path = f"{self._endpoint.prefix}/{quote(place, safe=PLAIN)}"
            for part in parts_of(lines, BLOCK_BYTES_MAX):
                answer = await self._append(path, part)
                if answer.status == NOT_FOUND:
                    await self._make(path, container=answer.code == NO_CONTAINER)
                    answer = await self._append(path, part)
                if answer.status != CREATED:
                    raise self._endpoint.refused(answer, "appending")
        return 0

    async def _append(self, path: str, lines: bytes) -> Answer:
        return await self._put(path, "comp=appendblock", {}, lines)

    async def _make(self, path: str, *, container: bool) -> None:
        """Make the blob; where it is there by now, it stays as it is."""
        if container:
            place = path[len(self._endpoint.prefix) :].split("/")[1]
            where = f"{self._endpoint.prefix}/{place}"
            made = await self._put(where, "restype=container", {}, b"")
            if made.status not in {CREATED, CONFLICT}:
                raise self._endpoint.refused(made, "making a container")
        headers = {
            "content-type": "application/json",
            "if-none-match": "*",
            "x-ms-blob-type": "AppendBlob",
        }
        made = await self._put(path, "", headers, b"")
        if made.status == NOT_FOUND and not container:
            return await self._make(path, container=True)
        if made.status not in {CREATED, CONFLICT}:
            raise self._endpoint.refused(made, "making a blob")
        return None

    async def _put(self, path: str, query: str, headers: dict[str, str], body: bytes) -> Answer:
        whole = path + (f"?{query}" if query else "")
        headers = headers | {"x-ms-version": API_VERSION, "x-ms-date": formatdate(usegmt=True)}
        if self._sas:
            whole += ("&" if query else "?") + self._sas
        else:
            signed = headers | {"content-length": str(len(body))}
            told = shared_key(self._account, self._key, "PUT", whole, signed)
            headers["authorization"] = told
        return await self._endpoint.put(whole, headers, body)


def check_azure_blob(settings: SinkSettings) -> None:
    """Raise SetupError for what can't work."""
    store_of(settings)
    if bool(settings.account_key) == bool(settings.sas_token):
        raise SetupError("an azure_blob has either an account_key or a sas_token.")
    try:
        base64.b64decode(settings.account_key, validate=True)
    except binascii.Error:
        raise SetupError("account_key is not in base64, as Azure shows it.") from None
