"""Chat over documents (`data_sources`): where to look, what was found, what the model is told.

Source: Azure OpenAI's inference references of 2024-10-21 and 2025-03-01-preview,
`azureSearchChatExtensionParameters` and `azureChatExtensionsMessageContext`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

STRICTNESS_DEFAULT, DOCUMENTS_DEFAULT, DOCUMENTS_MAX = 3, 5, 20
QueryType = Literal[
    "simple", "semantic", "vector", "vector_simple_hybrid", "vector_semantic_hybrid"
]
QUERY_TYPES = ("simple", "semantic", "vector", "vector_simple_hybrid", "vector_semantic_hybrid")
WITH_VECTORS = frozenset(("vector", "vector_simple_hybrid", "vector_semantic_hybrid"))
SEMANTIC = frozenset(("semantic", "vector_semantic_hybrid"))
CITATIONS, INTENT, ALL_RETRIEVED = CONTEXTS = ("citations", "intent", "all_retrieved_documents")
NOT_FOUND = (
    "The requested information is not found in the retrieved data. Please try another query or "
    "topic."
)
"""what Azure answers where the documents say nothing"""

FilterReason = Literal["score", "rerank"]


class FieldsMapping(msgspec.Struct, frozen=True):
    """Which fields of an index are what; of a vector store, which attributes."""

    title_field: str | None = None
    url_field: str | None = None
    filepath_field: str | None = None
    content_fields: list[str] | None = None
    content_fields_separator: str | None = None
    vector_fields: list[str] | None = None


class SearchParameters(msgspec.Struct, frozen=True):
    """What a source of the type `azure_search` says; checked. Absent and null mean the same."""

    endpoint: str
    index_name: str
    authentication: dict[str, Any] = {}
    top_n_documents: int | None = None
    in_scope: bool | None = None
    strictness: int | None = None
    role_information: str | None = None
    fields_mapping: FieldsMapping | None = None
    query_type: QueryType | None = None
    semantic_configuration: str | None = None
    filter: str | None = None
    embedding_dependency: dict[str, Any] | None = None
    include_contexts: list[str] | None = None
    allow_partial_result: bool | None = None
    max_search_queries: int | None = None

    def __repr__(self) -> str:
        """Hide what opens the source."""
        return f"SearchParameters(endpoint={self.endpoint!r}, index_name={self.index_name!r})"

    @property
    def fields(self) -> FieldsMapping:
        """The mapping, empty where none is told."""
        return self.fields_mapping or FieldsMapping()


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a document that a search has found."""

    content: str
    title: str | None = None
    url: str | None = None
    filepath: str | None = None
    chunk_id: str | None = None
    queries: tuple[str, ...] = ()
    """that found it"""
    score: float = 0.0
    """as the search told it"""
    rerank_score: float | None = None
    relevance: float = 0.0
    """how near it is to the question, in deviations from what is usual (`knowledge.relevance`);
    of the account's own vector stores alone"""
    filtered: FilterReason | None = None
    """why the model is not told of it"""


class Retrieved(msgspec.Struct, frozen=True):
    """What all searches of one question have come to, the best first."""

    documents: list[Document]

    @property
    def told(self) -> list[Document]:
        """Those that the model is told of."""
        return [each for each in self.documents if each.filtered is None]
