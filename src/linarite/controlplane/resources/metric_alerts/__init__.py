"""Microsoft.Insights/metricAlerts."""
