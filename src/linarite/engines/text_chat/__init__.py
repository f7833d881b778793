"""Chats on a model that only continues text: what engines that run such models share.

Messages become what a chat template takes, functions are described and their calls found in what
the model writes, choices are merged and folded. Imports no engine.
"""
