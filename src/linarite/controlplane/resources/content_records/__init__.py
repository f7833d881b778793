"""Prompts and completions that an account has kept."""
