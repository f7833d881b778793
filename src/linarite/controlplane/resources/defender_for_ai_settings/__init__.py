"""Microsoft.CognitiveServices/accounts/defenderForAISettings."""
