"""Microsoft.Authorization/locks."""
