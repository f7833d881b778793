"""Microsoft.Insights/diagnosticSettings of accounts."""
