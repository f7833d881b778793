"""Linarite.Hosting/operations."""
