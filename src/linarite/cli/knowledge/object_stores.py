"""Documents in a bucket of S3, or of what speaks like it, and in a container of Azure Blob."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote_plus, urlencode
from xml.etree import ElementTree as ET

from linarite.cli.connection import connector_to
from linarite.cli.knowledge.documents import BYTES_MAX, Document, problem_of
from linarite.cli.knowledge.s3_requests import PLAIN, query_of, signed_headers
from linarite.domain.errors import EgressRefused, SetupError
from linarite.engines.http_client import HttpClient, HttpClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.cli.knowledge.documents import Meant
    from linarite.cli.knowledge.s3_requests import Credentials
    from linarite.domain.target import Target
    from linarite.engines.http_client import Response

ANSWER_S = 60.0
LIST_BYTES_MAX = 32 * 1024 * 1024
OK = 200
AZURE_VERSION = "2021-12-02"
PATH_PLAIN = f"/{PLAIN}"


class Place(NamedTuple):
    """Where documents lie in an object store."""

    target: Target
    container: str
    """or bucket"""
    prefix: str
    """of their names; "" or ends with a slash"""


class Listed(NamedTuple):
    """An object, as a list shows it."""

    name: str
    size: int
    tag: str
    """changes with its content"""


class ObjectStore(ABC):
    """A `DocumentSource`; it goes to the one host that the person named."""

    def __init__(self, place: Place, meant: Meant, ca_file: str | None) -> None:
        self._place = place
        self._meant = meant
        target = place.target
        self._base = target.path.partition("?")[0].rstrip("/")
        self._client = HttpClient(connector_to(target, ca_file), host=target.host_header)

    @property
    def name(self) -> str:
        """Container and prefix."""
        return f"{self._place.container}/{self._place.prefix}".rstrip("/")

    async def documents(self, seen: Callable[[], None]) -> list[Document]:
        """See DocumentSource."""
        found: list[Document] = []
        token = ""
        while True:
            objects, token = await self.page(token)
            for each in objects:
                path = each.name.removeprefix(self._place.prefix)
                if not self._meant(path):
                    continue
                problem = problem_of(path, each.size)
                found.append(Document(path, "" if problem else each.tag, problem))
                seen()
            if not token:
                return sorted(found)

    async def content(self, document: Document) -> bytes:
        """See DocumentSource."""
        key = quote(f"{self._place.prefix}{document.path}", safe=PATH_PLAIN)
        path = f"{self._base}/{quote(self._place.container, safe=PLAIN)}/{key}"
        try:
            answer = await self.get(path, {})
            if answer.status != OK:
                why = f"the store answered {answer.status}"
                answer.close()
                raise OSError(0, why)
            return await answer.read(BYTES_MAX)
        except (HttpClientError, EgressRefused) as problem:
            raise OSError(0, f"the store can't be reached: {problem.message}") from None

    async def close(self) -> None:
        """See DocumentSource."""
        await self._client.close()

    @abstractmethod
    async def page(self, token: str) -> tuple[list[Listed], str]:
        """A part of the list, and what the next one is asked for with, "" at the end.

        Raises SetupError.
        """

    @abstractmethod
    async def get(self, path: str, parameters: dict[str, str]) -> Response:
        """An answer. Raises OSError, HttpClientError."""

    async def listed(self, parameters: dict[str, str]) -> ET.Element:
        """A list, without the names of its spaces. Raises SetupError."""
        host = self._place.target.host_header
        container = quote(self._place.container, safe=PLAIN)
        try:
            answer = await self.get(f"{self._base}/{container}", parameters)
            body = await answer.read(LIST_BYTES_MAX)
        except (OSError, HttpClientError, EgressRefused) as problem:
            raise SetupError(f"{host} can't be reached: {problem}.") from None
        try:
            told = ET.fromstring(body)  # noqa: S314 - by the store that the person named; bounded
        except ET.ParseError:
            raise SetupError(f"{host} is no object store: it answered {answer.status}.") from None
        for each in told.iter():
            each.tag = each.tag.rpartition("}")[2]
        if answer.status != OK:
            code, why = told.findtext("Code", ""), told.findtext("Message", "")
            raise SetupError(
                f"{host} does not list {self._place.container}: {answer.status} {code} {why}. Look "
                "at the container's name and at what opens it (linarite knowledge sync --help)."
            )
        return told

    async def send(self, path: str, query: str, headers: list[tuple[str, str]]) -> Response:
        """A GET."""
        address = f"{path}?{query}" if query else path
        return await self._client.send(
            "GET", address, headers, b"", first_byte_s=ANSWER_S, idle_s=ANSWER_S
        )


class S3Bucket(ObjectStore):
    """By paths (`/bucket/name`), which every store understands. Source: "ListObjectsV2"."""

    def __init__(
        self, place: Place, meant: Meant, ca_file: str | None, credentials: Credentials | None
    ) -> None:
        """`credentials` None for a bucket that everybody may read."""
        super().__init__(place, meant, ca_file)
        self._credentials = credentials

    async def page(self, token: str) -> tuple[list[Listed], str]:
        """See ObjectStore."""
        asked = {"list-type": "2", "encoding-type": "url"}
        if self._place.prefix:
            asked["prefix"] = self._place.prefix
        if token:
            asked["continuation-token"] = token
        told = await self.listed(asked)
        objects = [
            Listed(
                unquote_plus(each.findtext("Key", "")),
                int(each.findtext("Size", "0")),
                each.findtext("ETag", "").strip('"'),
            )
            for each in told.iter("Contents")
        ]
        more = told.findtext("IsTruncated") == "true"
        return objects, told.findtext("NextContinuationToken", "") if more else ""

    async def get(self, path: str, parameters: dict[str, str]) -> Response:
        """See ObjectStore."""
        query, host = query_of(parameters), self._place.target.host_header
        signed = (
            signed_headers(self._credentials, host, path, query, datetime.now(UTC))
            if self._credentials is not None
            else []
        )
        return await self.send(path, query, signed)


class AzureContainer(ObjectStore):
    """Opened by a shared access signature or an access token. Source: "List Blobs"."""

    def __init__(
        self, place: Place, meant: Meant, ca_file: str | None, *, sas: str, token: str
    ) -> None:
        """Both "" for a container that everybody may read."""
        super().__init__(place, meant, ca_file)
        self._sas = sas.lstrip("?")
        self._token = token

    async def page(self, token: str) -> tuple[list[Listed], str]:
        """See ObjectStore."""
        asked = {"restype": "container", "comp": "list"}
        if self._place.prefix:
            asked["prefix"] = self._place.prefix
        if token:
            asked["marker"] = token
        told = await self.listed(asked)
        objects = [
            Listed(
                each.findtext("Name", ""),
                int(each.findtext("Properties/Content-Length", "0")),
                each.findtext("Properties/Content-MD5", "")
                or each.findtext("Properties/Etag", "").strip('"'),
            )
            for each in told.iter("Blob")
        ]
        return objects, told.findtext("NextMarker") or ""

    async def get(self, path: str, parameters: dict[str, str]) -> Response:
        """See ObjectStore."""
        query = "&".join(filter(None, (urlencode(parameters, quote_via=quote), self._sas)))
        headers = [("x-ms-version", AZURE_VERSION)]
        if self._token:
            headers.append(("authorization", f"Bearer {self._token}"))
        return await self.send(path, query, headers)
