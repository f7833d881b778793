"""Microsoft.Resources/resourceGroups."""
