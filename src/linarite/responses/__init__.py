"""Responses and conversations that are stored with an account: kept, found, followed, ended."""

from __future__ import annotations

from linarite.responses.background import BackgroundResponses
from linarite.responses.conversations import ConversationKeeper
from linarite.responses.keeper import ResponseKeeper

__all__ = ["BackgroundResponses", "ConversationKeeper", "ResponseKeeper"]
