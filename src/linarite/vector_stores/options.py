"""What settings say about vector stores."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class VectorStores(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How files become searchable. Bounds are Azure's ("Azure OpenAI quotas and limits")."""

    embedding_deployment: Annotated[
        str,
        Meta(
            description="Deployment whose model makes the vectors, in every account; empty for "
            "the account's first one of an embedding model. A store keeps the one that it was "
            "made with."
        ),
    ] = ""
    stores_max: Annotated[
        int, Meta(description="Vector stores that an account may have.", ge=1)
    ] = 1_000
    files_max: Annotated[int, Meta(description="Files that a store may have.", ge=1)] = 10_000
    text_bytes_max: Annotated[
        int, Meta(description="Most text of a file in bytes; a token is four of them.", ge=1)
    ] = 20_000_000
    extractions_at_once: Annotated[
        int, Meta(description="Processes at a time that read files.", ge=1, le=64)
    ] = 2
    extraction_seconds: Annotated[
        int, Meta(description="Seconds that reading a file may take.", ge=1)
    ] = 120
    extraction_memory_bytes: Annotated[
        int, Meta(description="Address space of a process that reads a file.", ge=2**28)
    ] = 2 * 1024**3
    cached_bytes_max: Annotated[
        int,
        Meta(
            description="Vectors and words that are kept in memory, in bytes, all stores together.",
            ge=0,
        ),
    ] = 512 * 1024**2
    reranker: Annotated[
        str,
        Meta(
            description="Deployment of a chat model that puts what a search finds in order, in "
            "every account that has it; empty for none. It must be one made for that: small chat "
            "models that were not make results worse."
        ),
    ] = ""
    reranked: Annotated[
        int,
        Meta(description="Best chunks of a search that `reranker` is asked about.", ge=1, le=50),
    ] = 20
    rerank_seconds: Annotated[
        float,
        Meta(
            description="Seconds that `reranker` may take for a search; then the order stays as "
            "it was.",
            gt=0,
            le=600,
        ),
    ] = 10.0
