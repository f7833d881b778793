"""Microsoft.Resources/subscriptions."""
