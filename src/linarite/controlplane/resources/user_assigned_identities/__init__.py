"""Microsoft.ManagedIdentity/userAssignedIdentities, and their federated credentials."""
