"""Forms with files, read as they come: `multipart/form-data` of RFC 7578."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from linarite.domain.errors import InvalidRequest, UnsupportedContentType

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FIELD_BYTES_MAX = 64 * 1024
PARTS_MAX = 64
_PART, _DATA, _END = range(3)


class Part:
    """A field, or a file where `filename` is told. Read its data before the next part."""

    def __init__(self, name: str, filename: str | None) -> None:
        self.name = name
        self.filename = filename


class FormReader:
    """The parts of a form, in the order in which they come. Holds no more than a piece of one."""

    def __init__(self, content_type: bytes, pieces: AsyncIterator[bytes]) -> None:
        """Raises UnsupportedContentType for what is no form."""
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise UnsupportedContentType(
                content_type.decode("latin-1"), "multipart/form-data; boundary=…"
            )
        self._pieces = pieces
        self._ready: deque[tuple[int, Part | bytes | None]] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._field, self._value = b"", b""
        self._parts = 0
        self._ended = False
        self._closed = False
        self._parser = _parser(boundary, self)

    async def next_part(self) -> Part | None:
        """The next one, or None at the end. Raises InvalidRequest for what is no form."""
        while await self._more():
            what, value = self._ready.popleft()
            if what == _PART:
                assert isinstance(value, Part)  # noqa: S101 - as `header_end` puts it there
                return value
        return None

    async def data(self) -> AsyncIterator[bytes]:
        """The bytes of the part that came last."""
        while await self._more():
            what, value = self._ready[0]
            if what == _PART:
                return
            self._ready.popleft()
            if what == _END:
                return
            assert isinstance(value, bytes)  # noqa: S101 - as `part_data` puts it there
            yield value

    async def text(self) -> str:
        """A field's value. Raises InvalidRequest where it is long, or no text."""
        whole = b""
        async for piece in self.data():
            whole += piece
            if len(whole) > FIELD_BYTES_MAX:
                raise _wrong(f"a field has more than {FIELD_BYTES_MAX} bytes")
        try:
            return whole.decode()
        except UnicodeDecodeError:
            raise _wrong("a field is not UTF-8") from None

    async def _more(self) -> bool:
        """Whether something is ready, reading on until it is."""
        while not self._ready and not self._ended:
            piece = await anext(self._pieces, b"")
            try:
                if piece:
                    self._parser.write(piece)
                else:
                    self._ended = True
                    self._parser.finalize()
                    if not self._closed:
                        raise _wrong("it breaks off before its last boundary")
            except FormParserError as problem:
                raise _wrong(str(problem)) from None
        return bool(self._ready)

    # What the parser calls.

    def begin_part(self) -> None:
        """A new part: its headers come."""
        self._parts += 1
        if self._parts > PARTS_MAX:
            raise _wrong(f"it has more than {PARTS_MAX} parts")
        self._headers = {}

    def header_field(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's name."""
        self._field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        """A piece of its value."""
        self._value += data[start:end]

    def header_end(self) -> None:
        """A header is complete."""
        self._headers[self._field.lower()] = self._value
        self._field, self._value = b"", b""

    def headers_finished(self) -> None:
        """The data follows."""
        disposition = self._headers.get(b"content-disposition", b"")
        _, options = parse_options_header(disposition)
        name, filename = options.get(b"name"), options.get(b"filename")
        if name is None:
            raise _wrong("a part has no name")
        named = None if filename is None else filename.decode("utf-8", "replace")
        self._ready.append((_PART, Part(name.decode("utf-8", "replace"), named)))

    def part_data(self, data: bytes, start: int, end: int) -> None:
        """A piece of the part's data."""
        self._ready.append((_DATA, data[start:end]))

    def part_end(self) -> None:
        """The part is complete."""
        self._ready.append((_END, None))

    def end(self) -> None:
        """The form is."""
        self._closed = True


def _parser(boundary: bytes, reader: FormReader) -> MultipartParser:
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": reader.begin_part,
                "on_header_field": reader.header_field,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_headers_finished": reader.headers_finished,
                "on_part_data": reader.part_data,
                "on_part_end": reader.part_end,
                "on_end": reader.end,
            },
        )
    except FormParserError as problem:
        raise _wrong(str(problem)) from None


def _wrong(why: str) -> InvalidRequest:
    return InvalidRequest(f"The body can't be read as a form: {why}.")
