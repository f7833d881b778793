"""Microsoft.CostManagement/query."""
