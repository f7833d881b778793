"""Microsoft.Authorization/policySetDefinitions."""
