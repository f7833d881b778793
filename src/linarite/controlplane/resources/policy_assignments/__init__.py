"""Microsoft.Authorization/policyAssignments."""
