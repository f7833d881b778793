"""Certificates from files and of the local authority, and which one a client sees."""
