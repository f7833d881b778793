"""Microsoft.Insights/eventtypes/management/values."""
