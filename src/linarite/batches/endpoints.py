"""What lines of batches may ask for. A new one is a row, and an operation in the route table."""

from __future__ import annotations

ENDPOINTS = ("/chat/completions", "/completions", "/embeddings", "/responses")
"""as the data plane's route table names them; those of them that it has can be asked for"""
