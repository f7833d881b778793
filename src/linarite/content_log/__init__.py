"""Prompts and completions, kept sealed where an account wants it: written, read, swept."""
