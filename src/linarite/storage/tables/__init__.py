"""The tables as they are now, a module for each database; how they came to be is in `migrations/`.

Portable to PostgreSQL: no type, default or index here is SQLite's alone.
"""
