"""The ledger that servers share: counts in Valkey or Redis, kept by scripts that run there."""
