"""Microsoft.Management/managementGroups: the one of the tenant."""
