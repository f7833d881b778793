"""…/conversations: what was said, kept apart from the responses in which it was."""
