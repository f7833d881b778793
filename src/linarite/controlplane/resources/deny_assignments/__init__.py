"""Microsoft.Authorization/denyAssignments."""
