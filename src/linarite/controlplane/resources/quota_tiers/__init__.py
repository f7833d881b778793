"""Microsoft.CognitiveServices/quotaTiers."""
