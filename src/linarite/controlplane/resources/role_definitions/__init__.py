"""Microsoft.Authorization/roleDefinitions."""
