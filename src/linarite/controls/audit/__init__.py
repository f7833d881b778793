"""The audit log that proves itself: chain, signatures, bounds, verification.

What is told to it (`domain.audit.AuditEvent`) is linked into a chain of SHA-256 hashes, signed
with Ed25519 from time to time, and kept by an `AuditStore`. See docs/audit.md.
"""
