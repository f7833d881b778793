"""Microsoft.PolicyInsights/policyStates."""
