"""Stored files as answers show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.files.keeper import status_of

if TYPE_CHECKING:
    from linarite.domain.stored_object import StoredObject


def file_document(file: StoredObject) -> dict[str, Any]:
    """A file as both dialects show it."""
    told: dict[str, Any] = {
        "object": "file",
        "id": file.id,
        "purpose": file.label,
        "filename": file.body["filename"],
        "bytes": file.body["bytes"],
        "created_at": file.created_at,
        "status": status_of(file),
    }
    if "status_details" in file.body:
        told["status_details"] = file.body["status_details"]
    return told | {"expires_at": file.expires_at} if file.expires_at else told
