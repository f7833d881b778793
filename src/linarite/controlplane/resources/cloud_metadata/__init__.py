"""/metadata/endpoints."""
