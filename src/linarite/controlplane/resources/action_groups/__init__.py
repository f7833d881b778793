"""Microsoft.Insights/actionGroups."""
