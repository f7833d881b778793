"""Conditions of role assignments, version 2.0 of Azure's language: read, kept as trees, evaluated.

Source: learn.microsoft.com, "Azure role assignment condition format and syntax".
"""
