"""Microsoft.CognitiveServices/commitmentPlans."""
