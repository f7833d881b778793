"""What one call asked and was answered, noted where its account has content kept.

Nothing of this exists for other calls. The answer's writer is followed: of chat and completions a
second one folds what the first streams, others know their whole answer, streamed or not. So what
is kept is one body, however it was sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.dataplane.parts.replies import StreamedReply
from linarite.domain.content_log import Content, ContentLogging, no_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.dataplane.call import Reply
    from linarite.domain.facts import Deployment
    from linarite.domain.quota import Price
    from linarite.domain.request_record import RequestRecord
    from linarite.domain.usage import Usage

OF_MODELS = frozenset(
    (
        "ChatCompletions_Create",
        "Completions_Create",
        "Embeddings_Create",
        "Responses_Compact",
        "Responses_Create",
    )
)
"""operations whose content is kept. Others ask no model; what is stored by them has a place of its
own, and the body of a file's import has an address that opens it"""
WITHOUT_WORDS = frozenset(("Embeddings_Create",))
"""operations whose answers are numbers: what was asked is kept"""


SOURCES, TOOLS = "data_sources", "tools"
CREDENTIALS = (b'"authentication"', b'"authorization"', b'"headers"', b'"server_url"')
"""members of these that say what opens them"""
ESCAPED = b"\\u"
"""with it their names can be written otherwise"""
OF_SERVERS = frozenset(("authorization", "headers"))
ORIGIN = re.compile(r"https?://[^/?#@\\\s]{1,255}(?=[/?#]|$)", re.IGNORECASE)
NOT_KEPT = b'"What was sent is not kept: it is no JSON, and may have credentials in it."'


class ContentNotes:
    """The content of one call, as far as it has come."""

    __slots__ = ("_asked", "_followed", "_wanted", "error")

    def __init__(self, wanted: ContentLogging, asked: bytes) -> None:
        """`asked` is the body as it came."""
        self._wanted = wanted
        self._asked = without_credentials(asked)
        self._followed: FollowedReply | None = None
        self.error = b""
        """the body of the error that it ended with"""

    def follow(self, operation: str, reply: Reply) -> Reply:
        """The reply to use instead: the same, and it is known what it says."""
        if operation in WITHOUT_WORDS:
            return reply
        self._followed = FollowedReply(reply)
        return self._followed

    def content(self, record: RequestRecord) -> Content:
        """All of it, once the call has ended."""
        followed = self._followed
        answered = followed is not None and followed.size > 0
        return Content(
            record=record,
            retention_days=self._wanted.retention_days,
            asked=self._asked,
            answer=followed.whole if followed is not None and answered else no_answer,
            error=self.error,
            size=len(self._asked) + len(self.error) + (followed.size if followed else 0),
        )


class FollowedReply:
    """A `Reply` as the one it follows, that remembers what was said."""

    def __init__(self, inner: Reply) -> None:
        self._inner = inner
        self._folding: StreamedReply | None = None
        self._body = b""
        self._events: list[Any] = []
        self.streamed = inner.streamed
        self.size = 0
        """bytes that were answered so far"""

    @property
    def inner(self) -> Reply:
        """The one that it follows."""
        return self._inner

    @property
    def status(self) -> int:
        """See Reply."""
        return self._inner.status

    @property
    def lines(self) -> bytes:
        """See Reply."""
        return self._inner.lines

    @property
    def length(self) -> int | None:
        """See Reply."""
        return self._inner.length

    @property
    def usage(self) -> Usage | None:
        """See Reply."""
        return self._inner.usage

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """See Reply."""
        return self._inner.headers

    @property
    def guessed(self) -> bool:
        """See Reply."""
        return self._inner.guessed

    def price(self) -> Price:
        """See Reply."""
        return self._inner.price()

    def tell_tier(self, tier: str) -> None:
        """See Reply."""
        self._inner.tell_tier(tier)

    def move_to(self, deployment: Deployment) -> None:
        """See Reply."""
        self._inner.move_to(deployment)

    def frame(self, event: Any) -> bytes:  # noqa: ANN401 - each operation has its own events
        """See Reply."""
        inner = self._inner
        if self._folding is None and isinstance(inner, StreamedReply):
            self._folding = inner.folding()
        piece = inner.frame(event)
        self.size += len(piece)
        if self._folding is not None:
            self._events.append(event)  # folded later: this is between a model and its reader
        return piece

    def end(self) -> bytes:
        """See Reply."""
        return self._inner.end()

    def add(self, event: Any) -> None:  # noqa: ANN401 - as above
        """See Reply."""
        self._inner.add(event)
        self.size += 1  # what it is, is told when it is written

    def body(self) -> bytes:
        """See Reply."""
        self._body = self._inner.body()
        self.size = len(self._body)
        return self._body

    def whole(self) -> bytes:
        """What was answered, as one body; of an answer that broke off, what there was. Once."""
        if self._folding is not None:
            for event in self._events:
                self._folding.add(event)
            return self._folding.body()
        return self._body or self._inner.body()


def without_credentials(asked: bytes) -> bytes:
    """A body whose data sources and tools say how they are opened, and not by what.

    Before it is known whether it will be refused: what is refused is kept, too.
    """
    if ESCAPED not in asked and not any(each in asked for each in CREDENTIALS):
        return asked
    try:
        body = msgspec.json.decode(asked, type=dict[str, Any])
        bare = {name: bared(body[name]) for name, bared in BARED.items() if name in body}
        return msgspec.json.encode(body | bare) if bare else asked
    except (ValueError, RecursionError):
        return NOT_KEPT


def _bare(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [_bare(each) for each in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    told = cast("dict[str, Any]", value)
    return {
        name: _kind(each) if name == "authentication" else _bare(each)
        for name, each in told.items()
    }


def _bare_tools(tools: Any) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(tools, list):
        return None
    return [_bare_tool(each) for each in cast("list[Any]", tools)]


def _bare_tool(tool: Any) -> Any:  # noqa: ANN401 - any JSON
    """A tool; one of a server on another machine without what opens that."""
    if not isinstance(tool, dict):
        return tool
    told = cast("dict[str, Any]", tool)
    bare = {name: each for name, each in told.items() if name not in OF_SERVERS}
    return bare | {"server_url": _host(told["server_url"])} if "server_url" in told else bare


def _host(url: Any) -> str:  # noqa: ANN401 - any JSON
    """Of a URL, whose path may be a secret, what it begins with."""
    found = ORIGIN.match(url) if isinstance(url, str) else None
    return f"{found[0]}/<redacted>" if found else "<redacted>"


def _kind(authentication: Any) -> Any:  # noqa: ANN401 - any JSON
    """Of an authentication, its type."""
    if not isinstance(authentication, dict):
        return None
    return {"type": cast("dict[str, Any]", authentication).get("type")}


BARED: dict[str, Callable[[Any], Any]] = {SOURCES: _bare, TOOLS: _bare_tools}
