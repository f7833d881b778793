"""The table of the data plane. Rows and nothing else.

A template is what follows `/openai/v1` and, in the dated dialect, `/openai` (flat) or
`/openai/deployments/{deployment}`. Sources: Azure OpenAI's inference reference and v1 document.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from linarite.dataplane.api_versions import versions_since
from linarite.dataplane.call import Operation
from linarite.dataplane.operations.batches.operation import (
    CancelBatch,
    CreateBatch,
    GetBatch,
    ListBatches,
)
from linarite.dataplane.operations.chat_completions.operation import ChatCompletions
from linarite.dataplane.operations.completions.operation import Completions
from linarite.dataplane.operations.conversations.operation import (
    AddItems,
    CreateConversation,
    DeleteConversation,
    DeleteItem,
    GetConversation,
    GetItem,
    ListItems,
    UpdateConversation,
)
from linarite.dataplane.operations.embeddings.operation import Embeddings
from linarite.dataplane.operations.files.operation import (
    CreateFile,
    DeleteFile,
    GetFile,
    GetFileContent,
    ImportFile,
    ListFiles,
)
from linarite.dataplane.operations.models.operation import GetModel, ListModels
from linarite.dataplane.operations.responses.compacting import CompactResponse
from linarite.dataplane.operations.responses.counting import CountInputTokens
from linarite.dataplane.operations.responses.operation import CreateResponse
from linarite.dataplane.operations.responses.stored import (
    CancelResponse,
    DeleteResponse,
    GetResponse,
    ListInputItems,
)
from linarite.dataplane.operations.stored_completions.operation import (
    DeleteCompletion,
    GetCompletion,
    ListCompletions,
    ListMessages,
    UpdateCompletion,
)
from linarite.dataplane.operations.uploads.operation import (
    AddUploadPart,
    CancelUpload,
    CompleteUpload,
    StartUpload,
)
from linarite.dataplane.operations.vector_stores.files import (
    CancelFileBatch,
    CreateFileBatch,
    CreateStoreFile,
    DeleteStoreFile,
    GetFileBatch,
    GetStoreFile,
    GetStoreFileContent,
    ListFileBatchFiles,
    ListStoreFiles,
    UpdateStoreFile,
)
from linarite.dataplane.operations.vector_stores.operation import (
    CreateVectorStore,
    DeleteVectorStore,
    GetVectorStore,
    ListVectorStores,
    SearchVectorStore,
    UpdateVectorStore,
)
from linarite.dataplane.operations.webhook_endpoints.operation import (
    CreateWebhookEndpoint,
    DeleteWebhookEndpoint,
    GetWebhookEndpoint,
    ListWebhookEndpoints,
    UpdateWebhookEndpoint,
)


class Route(msgspec.Struct, frozen=True):
    """One operation at its place."""

    method: str
    template: str
    operation: type[Operation]
    dated: Literal["deployment", "flat"]
    versions: frozenset[str]
    """the dated versions that know it; v1 knows every row"""


def _of_store(
    method: str, rest: str, operation: type[Operation], since: str = "2024-05-01-preview"
) -> Route:
    """A row about vector stores: no dated version but previews knows them."""
    return Route(
        method=method,
        template=f"/vector_stores{rest}",
        operation=operation,
        dated="flat",
        versions=versions_since("", since),
    )


def _of_responses(
    method: str, rest: str, operation: type[Operation], since: str = "2025-03-01-preview"
) -> Route:
    """A row about responses, likewise."""
    return Route(
        method=method,
        template=f"/responses{rest}",
        operation=operation,
        dated="flat",
        versions=versions_since("", since),
    )


def _of_webhooks(method: str, rest: str, operation: type[Operation]) -> Route:
    """A row about webhook endpoints: no dated version knows them."""
    return Route(
        method=method,
        template=f"/dashboard/webhook_endpoints{rest}",
        operation=operation,
        dated="flat",
        versions=frozenset(),
    )


_LATER = "2025-04-01-preview"
_STORE = "/{vector_store_id}"
_FILE = f"{_STORE}/files/{{file_id}}"
_BATCH = f"{_STORE}/file_batches/{{batch_id}}"

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        template="/chat/completions",
        operation=ChatCompletions,
        dated="deployment",
        versions=versions_since("2023-05-15", "2023-03-15-preview"),
    ),
    Route(
        method="POST",
        template="/completions",
        operation=Completions,
        dated="deployment",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="POST",
        template="/embeddings",
        operation=Embeddings,
        dated="deployment",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="GET",
        template="/models",
        operation=ListModels,
        dated="flat",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="GET",
        template="/models/{model}",
        operation=GetModel,
        dated="flat",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="POST",
        template="/files",
        operation=CreateFile,
        dated="flat",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="POST",
        template="/files/import",
        operation=ImportFile,
        dated="flat",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="GET",
        template="/files",
        operation=ListFiles,
        dated="flat",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="GET",
        template="/files/{file_id}",
        operation=GetFile,
        dated="flat",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="DELETE",
        template="/files/{file_id}",
        operation=DeleteFile,
        dated="flat",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="GET",
        template="/files/{file_id}/content",
        operation=GetFileContent,
        dated="flat",
        versions=versions_since("2022-12-01", "2023-03-15-preview"),
    ),
    Route(
        method="POST",
        template="/uploads",
        operation=StartUpload,
        dated="flat",
        versions=versions_since("2024-10-21", "2024-10-01-preview"),
    ),
    Route(
        method="POST",
        template="/uploads/{upload_id}/parts",
        operation=AddUploadPart,
        dated="flat",
        versions=versions_since("2024-10-21", "2024-10-01-preview"),
    ),
    Route(
        method="POST",
        template="/uploads/{upload_id}/complete",
        operation=CompleteUpload,
        dated="flat",
        versions=versions_since("2024-10-21", "2024-10-01-preview"),
    ),
    Route(
        method="POST",
        template="/uploads/{upload_id}/cancel",
        operation=CancelUpload,
        dated="flat",
        versions=versions_since("2024-10-21", "2024-10-01-preview"),
    ),
    _of_responses("POST", "", CreateResponse),
    _of_responses("POST", "/compact", CompactResponse, _LATER),
    _of_responses("POST", "/input_tokens", CountInputTokens, _LATER),
    _of_responses("GET", "/{response_id}", GetResponse),
    _of_responses("DELETE", "/{response_id}", DeleteResponse),
    _of_responses("POST", "/{response_id}/cancel", CancelResponse, _LATER),
    _of_responses("GET", "/{response_id}/input_items", ListInputItems),
    Route(
        method="POST",
        template="/conversations",
        operation=CreateConversation,
        dated="flat",
        versions=versions_since("", ""),
    ),
    Route(
        method="GET",
        template="/conversations/{conversation_id}",
        operation=GetConversation,
        dated="flat",
        versions=versions_since("", ""),
    ),
    Route(
        method="POST",
        template="/conversations/{conversation_id}",
        operation=UpdateConversation,
        dated="flat",
        versions=versions_since("", ""),
    ),
    Route(
        method="DELETE",
        template="/conversations/{conversation_id}",
        operation=DeleteConversation,
        dated="flat",
        versions=versions_since("", ""),
    ),
    Route(
        method="GET",
        template="/conversations/{conversation_id}/items",
        operation=ListItems,
        dated="flat",
        versions=versions_since("", ""),
    ),
    Route(
        method="POST",
        template="/conversations/{conversation_id}/items",
        operation=AddItems,
        dated="flat",
        versions=versions_since("", ""),
    ),
    Route(
        method="GET",
        template="/conversations/{conversation_id}/items/{item_id}",
        operation=GetItem,
        dated="flat",
        versions=versions_since("", ""),
    ),
    Route(
        method="DELETE",
        template="/conversations/{conversation_id}/items/{item_id}",
        operation=DeleteItem,
        dated="flat",
        versions=versions_since("", ""),
    ),
    Route(
        method="POST",
        template="/batches",
        operation=CreateBatch,
        dated="flat",
        versions=versions_since("2024-10-21", "2024-07-01-preview"),
    ),
    Route(
        method="GET",
        template="/batches",
        operation=ListBatches,
        dated="flat",
        versions=versions_since("2024-10-21", "2024-07-01-preview"),
    ),
    Route(
        method="GET",
        template="/batches/{batch_id}",
        operation=GetBatch,
        dated="flat",
        versions=versions_since("2024-10-21", "2024-07-01-preview"),
    ),
    Route(
        method="POST",
        template="/batches/{batch_id}/cancel",
        operation=CancelBatch,
        dated="flat",
        versions=versions_since("2024-10-21", "2024-07-01-preview"),
    ),
    Route(
        method="GET",
        template="/chat/completions",
        operation=ListCompletions,
        dated="flat",
        versions=versions_since("", "2025-02-01-preview"),
    ),
    Route(
        method="GET",
        template="/chat/completions/{completion_id}",
        operation=GetCompletion,
        dated="flat",
        versions=versions_since("", "2025-02-01-preview"),
    ),
    Route(
        method="POST",
        template="/chat/completions/{completion_id}",
        operation=UpdateCompletion,
        dated="flat",
        versions=versions_since("", "2025-02-01-preview"),
    ),
    Route(
        method="DELETE",
        template="/chat/completions/{completion_id}",
        operation=DeleteCompletion,
        dated="flat",
        versions=versions_since("", "2025-02-01-preview"),
    ),
    Route(
        method="GET",
        template="/chat/completions/{completion_id}/messages",
        operation=ListMessages,
        dated="flat",
        versions=versions_since("", "2025-02-01-preview"),
    ),
    _of_store("POST", "", CreateVectorStore),
    _of_store("GET", "", ListVectorStores),
    _of_store("GET", _STORE, GetVectorStore),
    _of_store("POST", _STORE, UpdateVectorStore),
    _of_store("DELETE", _STORE, DeleteVectorStore),
    _of_store("POST", f"{_STORE}/search", SearchVectorStore, "2025-03-01-preview"),
    _of_store("POST", f"{_STORE}/files", CreateStoreFile),
    _of_store("GET", f"{_STORE}/files", ListStoreFiles),
    _of_store("GET", _FILE, GetStoreFile),
    _of_store("POST", _FILE, UpdateStoreFile, "2025-03-01-preview"),
    _of_store("DELETE", _FILE, DeleteStoreFile),
    _of_store("GET", f"{_FILE}/content", GetStoreFileContent, "2025-03-01-preview"),
    _of_store("POST", f"{_STORE}/file_batches", CreateFileBatch),
    _of_store("GET", _BATCH, GetFileBatch),
    _of_store("POST", f"{_BATCH}/cancel", CancelFileBatch),
    _of_store("GET", f"{_BATCH}/files", ListFileBatchFiles),
    _of_webhooks("POST", "", CreateWebhookEndpoint),
    _of_webhooks("GET", "", ListWebhookEndpoints),
    _of_webhooks("GET", "/{webhook_endpoint_id}", GetWebhookEndpoint),
    _of_webhooks("POST", "/{webhook_endpoint_id}", UpdateWebhookEndpoint),
    _of_webhooks("DELETE", "/{webhook_endpoint_id}", DeleteWebhookEndpoint),
)
