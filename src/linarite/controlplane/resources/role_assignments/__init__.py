"""Microsoft.Authorization/roleAssignments."""
