"""Microsoft.Authorization/policyDefinitions."""
