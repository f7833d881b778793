"""Reading a batch's file: line by line, as it comes, never the whole of it."""

from __future__ import annotations

import asyncio
import codecs
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.domain.batch_errors import (
    BadFile,
    duplicate_custom_id,
    empty_file,
    invalid_json_line,
    invalid_request,
    model_mismatch,
    model_not_found,
    no_model,
    too_many_tasks,
    url_mismatch,
)
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from linarite.domain.batch import BatchError

ERRORS_MAX = 100
"""as many are told; what else is wrong is found when these are mended"""
CHARACTERS_PER_TOKEN = 4
YIELD_EVERY = 200
"""lines: about a millisecond of checking, then others get their turns"""
PREFIXES = ("/openai/v1", "/v1", "/openai")


class Line(NamedTuple):
    """A line as it stands in the file."""

    number: int
    """from 1"""
    text: bytes
    """cut to a byte more than a line may have"""


class Request(msgspec.Struct, frozen=True):
    """What a line asks for."""

    custom_id: str
    method: str
    url: str
    body: msgspec.Raw

    @property
    def endpoint(self) -> str:
        """What its URL names, as `/chat/completions`."""
        return endpoint_of(self.url)


class _Body(msgspec.Struct, frozen=True):
    model: str | None = None
    stream: Any = None


class Rules(msgspec.Struct, frozen=True):
    """What a file must be like."""

    endpoint: str
    """as `/chat/completions`"""
    requests_max: int
    line_bytes_max: int
    deployment_exists: Callable[[str], bool]


class Examined(msgspec.Struct, frozen=True):
    """What a file is found to be."""

    requests: int
    deployment: str
    """as the lines name it"""
    tokens: int
    """of all bodies, estimated"""


def endpoint_of(url: str) -> str:
    """What a URL, or the endpoint of a batch, names without what stands before it."""
    for prefix in PREFIXES:
        if url.startswith(prefix + "/"):
            return url[len(prefix) :]
    return url


async def lines_of(pieces: AsyncIterator[bytes], line_bytes_max: int) -> AsyncIterator[Line]:
    """The lines of a file that are not blank; a byte order mark at its beginning is none of it."""
    number, rest, beginning = 0, bytearray(), True
    async for piece in pieces:
        *whole, last = piece.split(b"\n")
        for part in whole:
            number += 1
            if not part and not rest:  # a file may hold a hundred million of these
                beginning = False
                continue
            _extend(rest, part, line_bytes_max)
            text, beginning = _text(rest, at_beginning=beginning), False
            rest.clear()
            if text:
                yield Line(number, text)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        _extend(rest, last, line_bytes_max)
        await asyncio.sleep(0)
    text = _text(rest, at_beginning=beginning)
    if text:
        yield Line(number + 1, text)


def _extend(rest: bytearray, part: bytes, line_bytes_max: int) -> None:
    rest += part[: max(0, line_bytes_max + 1 - len(rest))]


def _text(line: bytearray, *, at_beginning: bool) -> bytes:
    text = bytes(line)
    return (text.removeprefix(codecs.BOM_UTF8) if at_beginning else text).strip()


async def examine(lines: AsyncIterator[Line], rules: Rules) -> Examined:
    """Look through a whole file. Raises BadFile."""
    found = _Examination(rules)
    async for line in lines:
        found.look_at(line)
        if len(found.errors) >= ERRORS_MAX or found.requests > rules.requests_max:
            break
    return found.result()


class _Examination:
    """What has been seen of a file."""

    def __init__(self, rules: Rules) -> None:
        self.errors: list[BatchError] = []
        self.requests = 0
        self._rules = rules
        self._deployment = ""
        self._tokens = 0
        self._names: set[bytes] = set()
        """digests of the custom ids: ids may be long, and many"""

    def look_at(self, line: Line) -> None:
        """One more line."""
        self.requests += 1
        try:
            request = request_in(line, self._rules.line_bytes_max)
            self._check(line.number, request)
        except BadFile as bad:
            self.errors += bad.errors

    def result(self) -> Examined:
        """What it is. Raises BadFile."""
        if self.requests > self._rules.requests_max:
            raise BadFile(too_many_tasks(self._rules.requests_max))
        if not self.requests:
            raise BadFile(empty_file())
        if self.errors:
            raise BadFile(*self.errors[:ERRORS_MAX])
        return Examined(self.requests, self._deployment, self._tokens)

    def _check(self, number: int, request: Request) -> None:
        if request.endpoint != self._rules.endpoint:
            self.errors.append(url_mismatch(number, request.url, self._rules.endpoint))
        digest = hashlib.blake2b(request.custom_id.encode(), digest_size=16).digest()
        if digest in self._names:
            self.errors.append(duplicate_custom_id(number, request.custom_id))
        self._names.add(digest)
        self._tokens += -(-len(request.body) // CHARACTERS_PER_TOKEN)
        body = body_in(request, number)
        if body.stream is True:
            told = "Streaming is not supported in batches: leave 'stream' out."
            self.errors.append(invalid_request(told, "body.stream", number))
        self._check_model(number, body.model or "")

    def _check_model(self, number: int, named: str) -> None:
        if not self._deployment:
            self._deployment = named
            if not self._rules.deployment_exists(named):
                self.errors.append(model_not_found(number, named))
        elif named.lower() != self._deployment.lower():
            self.errors.append(model_mismatch(number, named, self._deployment))


def request_in(line: Line, line_bytes_max: int) -> Request:
    """What a line asks for. Raises BadFile."""
    number, text = line
    if len(text) > line_bytes_max:
        why = f"it is longer than {line_bytes_max} bytes (limits.body_bytes_max)"
        raise BadFile(invalid_json_line(number, why))
    try:
        request = _request.decode(text)
    except msgspec.ValidationError as problem:
        raise BadFile(_schema(str(problem), number)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadFile(invalid_json_line(number, str(problem))) from None
    if not request.custom_id:
        raise BadFile(
            invalid_request("Missing required parameter: 'custom_id'.", "custom_id", number)
        )
    if request.method != "POST":
        told = f"Invalid value: '{request.method[:20]}'. Supported values are: 'POST'."
        raise BadFile(invalid_request(told, "method", number))
    return request


def body_in(request: Request, number: int) -> _Body:
    """What a request's body says, as far as all of them say it. Raises BadFile."""
    try:
        body = _body.decode(request.body)
    except msgspec.ValidationError:
        raise BadFile(no_model(number)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadFile(invalid_json_line(number, str(problem))) from None
    if not body.model:
        raise BadFile(no_model(number))
    return body


def _schema(problem: str, number: int) -> BatchError:
    what, _, where = problem.partition(" - at `$.")
    param = where.removesuffix("`") or None
    return invalid_request(f"The schema of the input line is invalid: {what}.", param, number)


def check_endpoint(endpoint: str, known: Sequence[str]) -> None:
    """Raise InvalidRequest where a batch is for none of the endpoints there are."""
    if endpoint_of(endpoint) not in known:
        supported = ", ".join(f"'/v1{each}'" for each in known)
        raise InvalidRequest(
            f"Invalid value: '{endpoint[:100]}'. Supported values are: {supported}.",
            param="endpoint",
            code="invalid_value",
        )


_request = msgspec.json.Decoder(Request)
_body = msgspec.json.Decoder(_Body)
