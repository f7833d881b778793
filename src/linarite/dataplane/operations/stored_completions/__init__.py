"""…/chat/completions as stored ones: list, get, messages, metadata, delete."""
