"""Models on offer."""
