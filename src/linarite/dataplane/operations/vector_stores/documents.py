"""Vector stores, their files and batches as answers show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.vector_stores.keeper import ACTIVE_AT, DAYS, ends_at_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.stored_object import StoredObject
    from linarite.domain.vector_store import FileBatch, FileCounts, StoreFile
    from linarite.vector_stores.search import Hit


def store_document(
    store: StoredObject, counts: FileCounts, usage_bytes: int, *, over: bool
) -> dict[str, Any]:
    """A store; what lies in it is counted now."""
    days = int(store.body[DAYS])
    told: dict[str, Any] = {
        "id": store.id,
        "object": "vector_store",
        "created_at": store.created_at,
        "name": store.body["name"],
        "usage_bytes": usage_bytes,
        "file_counts": msgspec.to_builtins(counts),
        "status": "expired" if over else "in_progress" if counts.in_progress else "completed",
        "expires_after": {"anchor": "last_active_at", "days": days} if days else None,
        "expires_at": ends_at_of(store) or None,
        "last_active_at": int(store.body[ACTIVE_AT]),
        "metadata": store.body["metadata"],
    }
    description = store.body.get("description")
    return told if description is None else told | {"description": description}


def file_document(file: StoreFile, store_id: str) -> dict[str, Any]:
    """A file of a store."""
    return {
        "id": file.file_id,
        "object": "vector_store.file",
        "usage_bytes": file.usage_bytes,
        "created_at": file.created_at,
        "vector_store_id": store_id,
        "status": file.status,
        "last_error": msgspec.to_builtins(file.problem),
        "chunking_strategy": {
            "type": "static",
            "static": {
                "max_chunk_size_tokens": file.chunking.size,
                "chunk_overlap_tokens": file.chunking.overlap,
            },
        },
        "attributes": file.attributes,
    }


def batch_document(batch: FileBatch, store_id: str) -> dict[str, Any]:
    """A batch of files."""
    counts = batch.counts
    status = "in_progress" if counts.in_progress else "completed"
    if batch.cancelled:
        status = "cancelled"
    elif counts.total and counts.failed == counts.total:
        status = "failed"
    return {
        "id": batch.id,
        "object": "vector_store.files_batch",
        "created_at": batch.created_at,
        "vector_store_id": store_id,
        "status": status,
        "file_counts": msgspec.to_builtins(counts),
    }


def content_document(text: str) -> dict[str, Any]:
    """A file's text, as one part."""
    return {
        "object": "vector_store.file_content.page",
        "data": [{"type": "text", "text": text}],
        "has_more": False,
        "next_page": None,
    }


def results_document(queries: Sequence[str], hits: Sequence[Hit]) -> dict[str, Any]:
    """What was found: all of it, as one page."""
    return {
        "object": "vector_store.search_results.page",
        "search_query": list(queries),
        "data": [
            {
                "file_id": hit.file_id,
                "filename": hit.filename,
                "score": hit.score,
                "attributes": hit.attributes,
                "content": [{"type": "text", "text": hit.text}],
            }
            for hit in hits
        ],
        "has_more": False,
        "next_page": None,
    }
