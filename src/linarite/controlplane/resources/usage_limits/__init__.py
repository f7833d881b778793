"""Linarite.Quota/usageLimits: limits on use, of an account or of a whole subscription."""
