"""Microsoft.Authorization/policyExemptions."""
