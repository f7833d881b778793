"""Microsoft.CognitiveServices/accounts/networkSecurityPerimeterConfigurations."""
