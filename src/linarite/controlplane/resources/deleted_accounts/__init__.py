"""Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts."""
