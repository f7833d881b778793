"""One request as the data path sees it, and what it learns about it on the way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.batches import BatchKeeper
from linarite.controls.quota import NO_LEASE
from linarite.domain.account_names import ANY_SITE
from linarite.domain.arrival import ANY_WAY
from linarite.domain.engine import Capabilities
from linarite.domain.secret_box import SecretBox
from linarite.domain.usage_journal import NO_PROGRESS
from linarite.domain.vector_store import TextExtractor
from linarite.files import FileKeeper
from linarite.files.completions import CompletionKeeper
from linarite.files.importing import FileImporter
from linarite.files.uploads import UploadKeeper
from linarite.files.webhook_endpoints import EndpointKeeper
from linarite.knowledge.finder import DocumentFinder
from linarite.mcp import McpClient
from linarite.responses import BackgroundResponses, ConversationKeeper, ResponseKeeper
from linarite.responses.prompts import PromptBook
from linarite.vector_stores.keeper import VectorStoreKeeper
from linarite.vector_stores.search import StoreSearcher
from linarite.web.sse import error_frame

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from linarite.controls.quota import Lease
    from linarite.dataplane.content_notes import ContentNotes
    from linarite.dataplane.pipeline import Place
    from linarite.dataplane.spillover import Spilled
    from linarite.domain.access import Decision
    from linarite.domain.account_names import Site
    from linarite.domain.arrival import Arrival
    from linarite.domain.client_certificate import ShownCertificate
    from linarite.domain.errors import LinariteError
    from linarite.domain.facts import Deployment, Facts
    from linarite.domain.principal import Principal
    from linarite.domain.quota import Price
    from linarite.domain.trace import Trace
    from linarite.domain.usage import Usage
    from linarite.domain.usage_journal import Progress

END_USER_MAX = 256
"""characters of an end user's name that are kept: limits compare no more either"""


class Body(Protocol):
    """A request's body, still to be read."""

    @property
    def left(self) -> bool:
        """Whether a body was announced and has not been read."""
        ...

    async def read(self) -> bytes:
        """The whole of it. Raises the 408s, 413s and 415s."""
        ...

    def pieces(self) -> AsyncIterator[bytes]:
        """It as it comes, whatever its type and length. Raises the 408 when nothing comes."""
        ...


class Call:
    """A request, free of any server's types, and the notes that become its record.

    The pipeline fills the notes as it goes, so that a refusal is recorded as fully as a success.
    """

    arrival: Arrival = ANY_WAY
    """the way by which it came"""
    site: Site = ANY_SITE
    """what its Host header names"""
    client_address = ""
    """"" where nobody can tell, as on a unix socket"""
    certificate: ShownCertificate | None = None
    """of the client, where it has shown one"""
    learned: dict[object, Any] | None = None
    """what was found out from the request's head alone, where further ones may come with it"""
    secure = False
    """whether it came over TLS, here or at a trusted proxy"""

    # The notes begin on the class: most calls set few of them.
    v1 = False
    """whether it came by /openai/v1/"""
    api_version = ""
    query = b""
    path_arguments: Mapping[str, str] = MappingProxyType({})
    """what stood in the path's braces: `deployment`, `model`; shared by calls with the same path"""
    account = ""
    facts: Facts | None = None
    """of the account, once the caller has proved to have a part in it"""
    account_id = ""
    """resource id of the account that was addressed, whoever calls"""
    principal: Principal | None = None
    """who calls, once recognised; what they may do is another question"""
    maker: Principal | None = None
    """who asked for it before; None for what comes over a connection"""
    in_batch = False
    """whether it is a line of a batch"""
    decision: Decision | None = None
    """what roles said of it; None for those who hold a key"""
    deployment: Deployment | None = None
    counted_for: Deployment | None = None
    """the deployment whose request it is, where no model answers"""
    spilled_from = ""
    """the provisioned deployment that was called, where another serves; where that one's rate was
    the reason, `limited_by` names it"""
    spilled: Spilled | None = None
    """what it had said, once another is tried"""
    service_tier_asked = ""
    service_tier = ""
    """that serves it; "" until one is chosen"""
    end_user = ""
    """as the request names it, its first END_USER_MAX characters"""
    project = ""
    tags = ""
    """a JSON object of texts; "" for none"""
    limited_by = ""
    """the limit that refused it"""
    cost_nano = 0
    """billionths of the price book's currency"""
    place: Place | None = None
    """what it holds of an instance, and may give up while it waits for others"""
    lease: Lease = NO_LEASE
    """what it holds of the deployment's rate"""
    reply: Reply | None = None
    """set before the first event: how the answer is written"""
    usage: Usage | None = None
    progress: Progress = NO_PROGRESS
    """where it is noted what has been produced, from the first event on"""
    trace: Trace | None = None
    """where it is noted when its parts end; None where nobody traces"""
    content: ContentNotes | None = None
    """what was asked and answered; None where the account has none of it kept"""
    first_event_at = 0.0
    started_at_ns = 0
    """since the epoch"""
    network_rule = ""
    """which rule over networks let it in or refused it; "" where none is in force"""
    status = 0
    """of the answer; 0 until there is one"""
    error_code = ""
    error_frame: Callable[[LinariteError], bytes] = staticmethod(error_frame)
    """how a stream tells that it has failed"""
    refused_by = ""
    """the control that refused, as `LinariteError.control` names it"""
    finish = "completed"
    """or `refused`, `failed`, `client_left`"""

    def __init__(
        self,
        *,
        method: str,
        path: str,
        headers: Mapping[bytes, bytes],
        request_id: str,
        started_at: float,
        body: Body,
    ) -> None:
        """`started_at` is of `time.perf_counter`, in seconds."""
        self.method = method
        self.path = path
        self.headers = headers
        self.request_id = request_id
        self.started_at = started_at
        self.body = body

    @property
    def region_title(self) -> str:
        """Where it is served: by the deployment's instance, or in the account's region."""
        if self.deployment is not None and self.deployment.region_title:
            return self.deployment.region_title
        return self.facts.account.region_title if self.facts is not None else ""


class OperationKit(msgspec.Struct, frozen=True):
    """What operations are made with."""

    accept_unknown_arguments: bool
    """Azure refuses arguments it does not know; some benchmarks send them all the same"""
    capabilities_of: Callable[[str], Capabilities | None]
    """what an instance can do, by its name; None until it has started"""
    files: FileKeeper
    uploads: UploadKeeper
    imports: FileImporter
    responses: ResponseKeeper
    conversations: ConversationKeeper
    background: BackgroundResponses
    box_of: Callable[[str], Awaitable[SecretBox | None]]
    """what seals what an account has, by its id; None where it has no keys"""
    batches: BatchKeeper
    completions: CompletionKeeper
    vector_stores: VectorStoreKeeper
    vector_search: StoreSearcher
    extractor: TextExtractor
    mcp: McpClient
    documents: DocumentFinder
    """finds what `data_sources` hold"""
    webhook_endpoints: EndpointKeeper
    prompts: PromptBook = PromptBook()


class Reply(Protocol):
    """Writes one answer, either as a stream or as one body.

    A reply that can't stream has `streamed` False and is only folded.
    """

    @property
    def streamed(self) -> bool:
        """Whether the client asked for a stream."""
        ...

    @property
    def status(self) -> int:
        """Of the answer; 200 unless the operation is one that makes or takes away."""
        ...

    @property
    def lines(self) -> bytes:
        """Header lines of its form as a stream."""
        ...

    @property
    def length(self) -> int | None:
        """Bytes of the whole stream, where they are known beforehand."""
        ...

    @property
    def usage(self) -> Usage | None:
        """Token counts as far as the answer has come; estimated where the engine tells none."""
        ...

    @property
    def guessed(self) -> bool:
        """Whether `usage` is no more than that."""
        ...

    def price(self) -> Price:
        """What the answer may use of its deployment's rate; the same each time."""
        ...

    def tell_tier(self, tier: str) -> None:
        """Say in the answer in which service tier it was served, where such answers do."""
        ...

    def move_to(self, deployment: Deployment) -> None:
        """Another deployment answers; before any event."""
        ...

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """Of the answer, in either form, beyond those every answer has."""
        ...

    def frame(self, event: Any) -> bytes:  # noqa: ANN401 - each operation has its own events
        """The bytes to send for an event; empty when it says nothing to the client."""
        ...

    def end(self) -> bytes:
        """What closes the stream."""
        ...

    def add(self, event: Any) -> None:  # noqa: ANN401 - as above
        """Fold an event in."""
        ...

    def body(self) -> bytes:
        """The plain answer, from everything folded in."""
        ...


class Unready(ABC):
    """An ask that is not whole before what was stored is read. The pipeline has it made ready."""

    costs = False
    """whether that takes calls of models: limits are asked before, and hold none of it"""

    @abstractmethod
    async def made_ready(self) -> Any:  # noqa: ANN401 - each operation has its own ask
        """The ask that `run` takes. Its caller has been let in, to the deployment too.

        Raises the 400s and 404s.
        """


class Operation(Protocol):
    """What stands in a route's row: one folder of `operations/`.

    `name` is Azure's operation id, `action` the data action that a role must grant, `reads_body`
    says whether there is a body to fetch.
    """

    name: str
    action: str
    reads_body: bool

    def __init__(self, kit: OperationKit) -> None: ...

    def parse(self, call: Call, body: bytes, facts: Facts) -> Any:  # noqa: ANN401 - each operation has types of its own
        """The typed ask; sets `call.reply`, and `call.deployment` when a model must answer.

        Raises the 400s and 404s.
        """
        ...

    def run(self, ask: Any, slot: Any) -> AsyncGenerator[Any, None]:  # noqa: ANN401 - each operation has types of its own
        """The events of the answer. `slot` is a Slot, or None when the call has no deployment.

        Raises OperationNotSupported, now or with the first event, when the model can't do it.
        """
        ...
