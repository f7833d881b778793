"""The audit log, as a running server shows it."""
