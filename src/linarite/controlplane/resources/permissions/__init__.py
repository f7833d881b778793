"""Microsoft.Authorization/permissions: what a caller may do at a scope."""
