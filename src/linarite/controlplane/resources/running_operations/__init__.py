"""Linarite/operations."""
