"""Microsoft.CognitiveServices/locations/commitmentTiers."""
