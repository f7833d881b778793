"""Chats and completions on a model that only continues text: what engines of such models share.

Messages become what a chat template takes, functions are described and their calls found in what
the model writes, choices are merged and folded. Imports no engine.
"""
