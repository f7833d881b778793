"""Microsoft.Network/networkSecurityPerimeters/profiles/accessRules."""
