"""Tokens for programs that hold no secret: this server recognises who calls, as settings say."""
