"""What the gateway and the process of an engine say to each other over pipes, a line at a time."""

from __future__ import annotations

from linarite.engines.llamacpp.options import LlamacppOptions
from linarite.engines.worker_process.order import Order
from linarite.engines.worker_process.reports import Loaded

LlamacppOrder = Order[LlamacppOptions]


class LlamacppLoaded(Loaded, frozen=True, tag="loaded"):
    """It listens."""

    embedding: bool
    context_tokens: int
    """what one request may use"""
    chat_template: bool
    """the model has a template of its own, or was given one"""
    special_texts: list[str]
    """what the special tokens of the vocabulary are called"""
