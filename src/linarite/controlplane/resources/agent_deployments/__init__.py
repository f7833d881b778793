"""Microsoft.CognitiveServices/accounts/projects/applications/agentDeployments."""
