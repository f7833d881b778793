"""Microsoft.Consumption/budgets of subscriptions and resource groups."""
